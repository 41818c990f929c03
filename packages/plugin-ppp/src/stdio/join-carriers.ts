import type { PacketCarrier } from '../carrier/packet-carrier.ts';

/** Hands packets from each of two carriers to the other, each as fast as the other takes them. */
export function joinCarriers(one: PacketCarrier, other: PacketCarrier): void {
  lead(one, other);
  lead(other, one);
}

function lead(from: PacketCarrier, to: PacketCarrier): void {
  from.onPackets((packets) => {
    to.send(packets);
    if (!to.full) return;
    from.pause();
    void to.ready().then(() => from.resume());
  });
  from.resume();
}
