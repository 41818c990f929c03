import type { Connection } from '../connection/connection.ts';
import { ViasshError } from '../errors/viassh-error.ts';
import type { Logger } from '../log/logger.ts';
import type { Clock, ClockTimer } from './clock.ts';
import { probe } from './probe.ts';

/** For the first answer of a connection, and for those asked for now and then: a busy link is slow, and not dead. */
const PATIENT_MS = 15_000;
/** For the answer after a wake: so long, or four times what it took the last time. */
const SHORT_MS = 1000;

/** What a {@link Link} needs. */
export interface LinkOptions {
  readonly clock: Clock;
  readonly log: Logger;
  /** Ends the wait for the first answer. */
  readonly signal: AbortSignal;
  /** Milliseconds; see SuperviseOptions. */
  readonly pollMs?: number | undefined;
  readonly firstPollMs?: number | undefined;
  /** A probe was not answered in time. */
  readonly onSilence: (error: ViasshError) => void;
}

/** A connection that is up: something made the round trip. */
export class Link {
  readonly connection: Connection;
  readonly #options: LinkOptions;
  readonly #since: number;
  #roundTripMs: number | undefined;
  /** When the probe under way is over, by the clock's `now()`. */
  #probeEnds: number | undefined;
  #pollTimer: ClockTimer | undefined;
  #over = false;

  private constructor(connection: Connection, roundTripMs: number | undefined, options: LinkOptions) {
    this.connection = connection;
    this.#roundTripMs = roundTripMs;
    this.#options = options;
    this.#since = options.clock.now();
    this.#poll(options.firstPollMs ?? options.pollMs);
  }

  /** @throws ViasshError ABORTED; CONNECTION_LOST when the connection does not answer; what its `ping` throws */
  static async over(connection: Connection, options: LinkOptions): Promise<Link> {
    const { clock, signal } = options;
    const roundTripMs = await probe(connection, { clock, signal, limitMs: PATIENT_MS });
    if (roundTripMs === 'silent') throw silence('after the login', PATIENT_MS);
    return new Link(connection, roundTripMs, options);
  }

  /** Milliseconds since it came up. */
  get upMs(): number {
    return this.#options.clock.now() - this.#since;
  }

  /** The latest that was measured. */
  get roundTripMs(): number | undefined {
    return this.#roundTripMs;
  }

  /** It is not asked for anything any more. */
  end(): void {
    this.#over = true;
    this.#options.clock.clearTimeout(this.#pollTimer);
  }

  /** Does it still answer, soon? `why` is for the log. */
  probeNow(why: string): void {
    void this.#probe(why, this.#shortLimit);
  }

  #poll(ms: number | undefined): void {
    if (ms === undefined || ms <= 0) return;
    const { clock, pollMs } = this.#options;
    this.#pollTimer = clock.setTimeout(() => {
      void this.#probe('the poll', Math.max(PATIENT_MS, this.#shortLimit));
      this.#poll(pollMs);
    }, ms);
    this.#pollTimer.unref();
  }

  get #shortLimit(): number {
    return Math.max(SHORT_MS, 4 * (this.#roundTripMs ?? 0));
  }

  /** One at a time, unless it is over before the other. */
  async #probe(why: string, limitMs: number): Promise<void> {
    const { clock, log, onSilence } = this.#options;
    const ends = clock.now() + limitMs;
    if (this.#probeEnds !== undefined && this.#probeEnds <= ends) return;
    this.#probeEnds = ends;
    log.debug(`${why}: probing the connection`);
    try {
      const roundTripMs = await probe(this.connection, { clock, limitMs });
      if (this.#over) return;
      if (roundTripMs === 'silent') onSilence(silence(why, limitMs));
      else this.#roundTripMs = roundTripMs;
    } catch {
      // What ended the connection is told by `closed`.
    } finally {
      if (this.#probeEnds === ends) this.#probeEnds = undefined;
    }
  }
}

function silence(when: string, limitMs: number): ViasshError {
  return new ViasshError('CONNECTION_LOST', `no answer within ${(limitMs / 1000).toFixed(1)} s (${when})`, {
    hint: 'the server or the network went away',
  });
}
