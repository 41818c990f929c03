import type { TunMode } from '../connection/packet-channel.ts';

/** Packets of a device, counted since it was opened. */
export interface DeviceCounters {
  /** From the kernel to us. */
  readonly read: number;
  /** From us to the kernel. */
  readonly written: number;
  /** The kernel did not take them: it had no room, the device was down, or they were no packets. */
  readonly dropped: number;
}

/** A near end for packets: a tun or tap device of this machine, or something that behaves as one. */
export interface PacketDevice extends AsyncDisposable {
  /** As the kernel calls it: `tun0`. */
  readonly name: string;
  readonly mode: TunMode;
  /** Every packet, both ways, stands behind a `virtio_net_hdr` of 10 bytes, and may be up to 64 KiB of segments to be cut. */
  readonly vnetHeader: boolean;
  readonly counters: DeviceCounters;
  /** Hands them to the kernel in order; gives the number that it took. The buffers are the caller's again when it returns. */
  write(packets: readonly Buffer[]): number;
  /** Takes what the kernel sends out by this device, in batches. One handler. The buffers are the device's again when it returns. */
  onPackets(handler: (packets: readonly Buffer[]) => void): void;
  /** Nothing is read until `resume()`; the kernel's queue fills, and drops after that. Starts paused without a handler. */
  pause(): void;
  resume(): void;
  /** Resolves when it was closed by us; rejects with DEVICE_LOST when it was taken away. A rejection nobody awaits is not unhandled. */
  readonly closed: Promise<void>;
  /** Closes it; resolves when the kernel has let go of it. */
  close(): Promise<void>;
}
