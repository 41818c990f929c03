import { abortedError, type ViasshError } from '@viassh/core';
import type { Phase } from './translate-error.ts';

/** From the dial to the end of one hop: how far it is, the time limit, and the one reason why it ended. */
export class HopLife {
  phase: Phase = 'handshake';
  readonly #end = new AbortController();
  readonly #caller: AbortSignal;
  readonly #limitMs: number;
  readonly #expired: (ms: number) => ViasshError;
  readonly #onAbort: () => void;
  #timer: NodeJS.Timeout | undefined;
  #left = false;

  /** `limitMs` bounds each wait for the other side; `expired` makes the error when it is over. */
  constructor(caller: AbortSignal, limitMs: number, expired: (ms: number) => ViasshError) {
    this.#caller = caller;
    this.#limitMs = limitMs;
    this.#expired = expired;
    this.#onAbort = () => this.end(abortedError(caller.reason));
    if (caller.aborted) this.#onAbort();
    else caller.addEventListener('abort', this.#onAbort, { once: true });
  }

  /** Aborted when the hop ends by itself; the reason is the error. */
  get signal(): AbortSignal {
    return this.#end.signal;
  }

  /** Ended, or left by us. */
  get over(): boolean {
    return this.#left || this.signal.aborted;
  }

  /** The other side is to do something now. Not when a person is asked, and not once the login is done. */
  startWaiting(): void {
    this.stopWaiting();
    if (this.phase === 'up' || this.over) return;
    this.#timer = setTimeout(() => this.end(this.#expired(this.#limitMs)), this.#limitMs);
  }

  stopWaiting(): void {
    clearTimeout(this.#timer);
  }

  /** The login is done: from now on the caller's signal of connect() means nothing. */
  up(): void {
    this.phase = 'up';
    this.stopWaiting();
    this.#caller.removeEventListener('abort', this.#onAbort);
  }

  /** The first reason counts. */
  end(error: ViasshError): void {
    if (this.over) return;
    this.up();
    this.#end.abort(error);
  }

  /** We close it: what happens from now on is no loss. */
  leave(): void {
    this.up();
    this.#left = true;
  }

  /** Calls back when it ends by itself, at once if that was before. */
  onEnd(listener: (error: ViasshError) => void): void {
    const tell = (): void => listener(this.signal.reason as ViasshError);
    if (this.signal.aborted) tell();
    else this.signal.addEventListener('abort', tell, { once: true });
  }
}
