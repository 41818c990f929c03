import { type DeviceCounters, type PacketDevice, type TunMode, ViasshError } from '@viassh/core';

/** What a {@link FakeDevice} is made from. */
export interface FakeDeviceOptions {
  /** Default: `fake0`. */
  readonly name?: string | undefined;
  /** Default: point-to-point. */
  readonly mode?: TunMode | undefined;
  readonly vnetHeader?: boolean | undefined;
  /** Packets that wait here while it is paused; more are dropped, as the kernel's queue does. Default: 500. */
  readonly queue?: number | undefined;
}

/** A PacketDevice without a kernel: the test is the kernel. */
export interface FakeDevice extends PacketDevice {
  /** The kernel sends these out by the device; gives the number that found room. They are copied. */
  emit(packets: readonly Buffer[]): number;
  /** Copies of all that was written to it. */
  readonly written: readonly Buffer[];
  /** Takes what is written from now on, after `written` did: to answer it, for example. */
  onWritten(handler: (packets: readonly Buffer[]) => void): void;
  /** It takes no packet, or takes them again: as a device that is down. */
  refuseWrites(refuse: boolean): void;
  /** Deletes it: DEVICE_LOST. */
  lose(): void;
}

/** Makes a device that is a list of packets. Batches come in a turn of their own, and their buffers are overwritten after it, as a real one's. */
export function createFakeDevice(options: FakeDeviceOptions = {}): FakeDevice {
  const { name = 'fake0', mode = 'point-to-point', vnetHeader = false, queue = 500 } = options;
  const counters = { read: 0, written: 0, dropped: 0 };
  const written: Buffer[] = [];
  const { promise: closed, resolve, reject } = Promise.withResolvers<void>();
  closed.catch(() => undefined);
  let waiting: Buffer[] = [];
  let handler: ((packets: readonly Buffer[]) => void) | undefined;
  let answer: ((packets: readonly Buffer[]) => void) | undefined;
  let [paused, open, refusing] = [false, true, false];

  function deliver(): void {
    if (!open || paused || handler === undefined || waiting.length === 0) return;
    const batch = waiting;
    waiting = [];
    counters.read += batch.length;
    handler(batch);
    for (const packet of batch) packet.fill(0xee);
  }

  async function close(): Promise<void> {
    open = false;
    resolve();
  }

  return {
    name,
    mode,
    vnetHeader,
    closed,
    written,
    close,
    get counters(): DeviceCounters {
      return { ...counters };
    },
    write(packets) {
      const taken = open && !refusing ? packets.map((packet) => Buffer.from(packet)) : [];
      counters.written += taken.length;
      counters.dropped += packets.length - taken.length;
      written.push(...taken);
      if (taken.length > 0) answer?.(taken);
      return taken.length;
    },
    onPackets(own) {
      handler = own;
      setImmediate(deliver);
    },
    pause: () => void (paused = true),
    resume() {
      paused = false;
      setImmediate(deliver);
    },
    emit(packets) {
      const taken = open ? packets.slice(0, Math.max(0, queue - waiting.length)) : [];
      if (taken.length > 0) setImmediate(deliver);
      waiting.push(...taken.map((packet) => Buffer.from(packet)));
      return taken.length;
    },
    onWritten: (own) => void (answer = own),
    refuseWrites: (refuse) => void (refusing = refuse),
    lose() {
      open = false;
      reject(new ViasshError('DEVICE_LOST', `the device ${name} was deleted under us`));
    },
    [Symbol.asyncDispose]: close,
  };
}
