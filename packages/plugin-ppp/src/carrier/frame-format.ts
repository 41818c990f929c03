/**
 * Frames of our own, between two ends that both are viassh. A link is: {@link MAGIC}, the length of the hello (16 bits),
 * the hello (JSON), and then frames: 8 bits of kind, 24 bits of length, and as many bytes. Numbers have their high byte first.
 */

/** Begins a hello: what came before it was said by a shell. */
export const MAGIC: Buffer = Buffer.from('\0viassh link\0', 'latin1');

/** What a frame is; one of another kind is skipped. */
export const FRAME_PACKET = 0;
/** The sender ends the link in good order, and sends nothing more. */
export const FRAME_BYE = 1;

export const FRAME_HEADER = 4;
/** Bytes of a `virtio_net_hdr`. */
export const VNET_HEADER = 10;
/** The largest IP packet there is, bytes. */
export const LARGEST_PACKET = 65_535;
/** An Ethernet header, with a VLAN tag. */
export const ETHERNET_HEADER = 18;
