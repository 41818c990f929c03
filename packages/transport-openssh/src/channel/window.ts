/** The receive window that each channel starts with, bytes. More would stall the master: it buffers what we do not read. */
export const WINDOW: number = 2 * 1024 * 1024;
/** The longest data of one packet that we take (RFC 4254 §5.1). */
export const MAX_PACKET: number = 32 * 1024;
/** Consumed bytes are granted again in steps of this size. */
const STEP = 256 * 1024;

/** What the peer may still send: granted again only as it is consumed (RFC 4254 §5.2). */
export class ReceiveWindow {
  readonly #grant: (bytes: number) => void;
  #consumed = 0;
  #left: number = WINDOW;

  constructor(grant: (bytes: number) => void) {
    this.#grant = grant;
  }

  /** False when the peer sent more than it was granted. */
  received(bytes: number): boolean {
    this.#left -= bytes;
    return this.#left >= 0;
  }

  consumed(bytes: number): void {
    this.#consumed += bytes;
    if (this.#consumed < STEP) return;
    this.#left += this.#consumed;
    this.#grant(this.#consumed);
    this.#consumed = 0;
  }
}

/** What we may still send. One waiter: the channel's write in progress. */
export class SendWindow {
  readonly maxPacket: number;
  #left: number;
  #waiter: (() => void) | undefined;

  constructor(left: number, maxPacket: number) {
    this.#left = left;
    this.maxPacket = Math.max(1, maxPacket);
  }

  get left(): number {
    return this.#left;
  }

  /** Takes up to `wanted` bytes off the window; 0 when it is shut. */
  take(wanted: number): number {
    const taken = Math.min(wanted, this.#left, this.maxPacket);
    this.#left -= taken;
    return taken;
  }

  granted(bytes: number): void {
    this.#left += bytes;
    this.wake();
  }

  /** Calls back at the next grant, or when {@link wake} says that waiting makes no sense any more. */
  wait(waiter: () => void): void {
    this.#waiter = waiter;
  }

  wake(): void {
    const waiter = this.#waiter;
    this.#waiter = undefined;
    waiter?.();
  }
}
