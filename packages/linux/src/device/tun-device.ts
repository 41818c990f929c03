import { closeSync } from 'node:fs';
import { constants as system } from 'node:os';
import { type DeviceCounters, type PacketDevice, type TunMode, ViasshError } from '@viassh/core';
import type { KernelCalls, Readable } from '../kernel/kernel-calls.ts';

/** Packets of one turn: as many as hide what the turn costs, as few as let others have theirs. */
const BATCH = 64;
/** The longest read: an IP packet of 64 KiB behind an Ethernet header with a VLAN tag and a virtio_net_hdr, rounded up. */
const LONGEST = 65_535 + 18 + 10 + 5;
/** They lie one behind the other: small ones stay within what the processor has at hand, of the longest there is room for 15. */
const ARENA = 1024 * 1024;
const EBADFD = 77; // asm-generic/errno.h: its device is gone; Node has no name for it

/** A tun or tap device behind an open descriptor, which is its own from here on. Read in Node's event loop, without a thread. */
export class TunDevice implements PacketDevice {
  readonly name: string;
  readonly mode: TunMode;
  readonly vnetHeader: boolean;
  readonly closed: Promise<void>;
  readonly #calls: KernelCalls;
  readonly #fd: number;
  readonly #poll: Readable;
  readonly #arena = Buffer.allocUnsafeSlow(ARENA);
  readonly #counters = { read: 0, written: 0, dropped: 0 };
  readonly #settle: PromiseWithResolvers<void>;
  #handler: ((packets: readonly Buffer[]) => void) | undefined;
  #paused = true;
  #pausedByCaller = false;
  #turn: NodeJS.Immediate | undefined;
  #open = true;

  constructor(
    calls: KernelCalls,
    fd: number,
    { name, mode, vnetHeader }: Pick<PacketDevice, 'name' | 'mode' | 'vnetHeader'>,
  ) {
    this.#calls = calls;
    this.#fd = fd;
    this.name = name;
    this.mode = mode;
    this.vnetHeader = vnetHeader;
    this.#settle = Promise.withResolvers<void>();
    this.closed = this.#settle.promise;
    this.closed.catch(() => undefined);
    this.#poll = calls.poll(fd, (error) => {
      // called outside of a turn of Node's: promises would not be settled, errors lost
      if (error < 0) setImmediate(() => this.#lost());
      else this.#turn ??= setImmediate(() => this.#readTurn());
    });
    this.#poll.watch(false);
  }

  get counters(): DeviceCounters {
    return { ...this.#counters };
  }

  write(packets: readonly Buffer[]): number {
    let taken = 0;
    if (this.#open)
      for (const packet of packets) {
        // A write is whole or not at all; one that the kernel refuses says nothing of the next.
        if (this.#calls.write(this.#fd, packet, packet.length) === packet.length) taken += 1;
        else if (this.#calls.errno() === EBADFD) {
          this.#lost();
          break;
        }
      }
    this.#counters.written += taken;
    this.#counters.dropped += packets.length - taken;
    return taken;
  }

  onPackets(handler: (packets: readonly Buffer[]) => void): void {
    this.#handler = handler;
    this.#rewatch();
  }

  pause(): void {
    this.#pausedByCaller = true;
    this.#rewatch();
  }

  resume(): void {
    this.#pausedByCaller = false;
    this.#rewatch();
  }

  async close(): Promise<void> {
    this.#end();
    this.#settle.resolve();
  }

  async [Symbol.asyncDispose](): Promise<void> {
    await this.close();
  }

  #rewatch(): void {
    const paused = this.#pausedByCaller || this.#handler === undefined;
    if (!this.#open || paused === this.#paused) return;
    this.#paused = paused;
    this.#poll.watch(!paused);
  }

  #readTurn(): void {
    this.#turn = undefined;
    if (!this.#open || this.#paused) return;
    const packets: Buffer[] = [];
    for (let at = 0; packets.length < BATCH && at + LONGEST <= ARENA; ) {
      const length = this.#calls.read(this.#fd, this.#arena.subarray(at), LONGEST);
      if (length <= 0) {
        const errno = length === 0 ? EBADFD : this.#calls.errno();
        if (errno === system.errno.EAGAIN || errno === system.errno.EINTR) break;
        return this.#lost();
      }
      packets.push(this.#arena.subarray(at, at + length));
      at += (length + 15) & ~15;
    }
    if (packets.length === 0) return;
    this.#counters.read += packets.length;
    this.#handler?.(packets);
  }

  #lost(): void {
    if (!this.#open) return;
    this.#end();
    this.#settle.reject(
      new ViasshError('DEVICE_LOST', `the device ${this.name} was deleted under us`, {
        hint: 'something on this machine removed it: ip link; run it again',
      }),
    );
  }

  #end(): void {
    if (!this.#open) return;
    this.#open = false;
    clearImmediate(this.#turn);
    this.#poll.close();
    closeSync(this.#fd);
  }
}
