import { isViasshError } from '@viassh/core';

/**
 * sshd counts a session off its MaxSessions a moment after its channel was closed by both sides: an opening that comes
 * with the same read as our CHANNEL_CLOSE is refused, though there is room. Such a refusal is asked about again.
 */
export class SessionSlots {
  readonly #roundTrip: () => Promise<unknown>;
  #closed = 0;
  #countedOff = 0;

  /** `roundTrip` resolves when the server has answered something. */
  constructor(roundTrip: () => Promise<unknown>) {
    this.#roundTrip = roundTrip;
  }

  /** A session was closed by both sides. */
  sessionClosed(): void {
    this.#closed += 1;
  }

  /** @throws what `open` throws */
  async open<C>(open: () => Promise<C>): Promise<C> {
    try {
      return await open();
    } catch (error) {
      const closed = this.#closed;
      if (!isViasshError(error, 'CHANNEL_REFUSED') || closed === this.#countedOff) throw error;
      await this.#roundTrip();
      this.#countedOff = Math.max(this.#countedOff, closed);
      return await open();
    }
  }
}
