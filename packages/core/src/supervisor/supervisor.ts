import type { CloseOptions, CloseReason, Connection } from '../connection/connection.ts';
import type { ViasshError } from '../errors/viassh-error.ts';

/** How things stand with a supervised connection. Times are milliseconds since 1970. */
export type SupervisorState =
  /** Nobody has asked for it yet, or nobody did for so long that it was closed. */
  | { readonly kind: 'idle'; readonly since: number }
  /** `attempt` counts from 1 since it was up last. */
  | { readonly kind: 'connecting'; readonly since: number; readonly attempt: number }
  /** A byte made the round trip; `roundTripMs` is the latest that was measured. */
  | { readonly kind: 'up'; readonly since: number; readonly roundTripMs: number | undefined }
  /** `error` is why it is not up; `until` is when the next attempt begins, and `attempt` its number. */
  | {
      readonly kind: 'waiting';
      readonly since: number;
      readonly attempt: number;
      readonly until: number;
      readonly error: ViasshError;
    }
  /** For good: closed by us (no error), or a failure that nobody may retry. */
  | { readonly kind: 'stopped'; readonly since: number; readonly error?: ViasshError | undefined };

/** Keeps one connection up. The only place that retries. */
export interface Supervisor extends AsyncDisposable {
  readonly state: SupervisorState;
  /** How often it was up. */
  readonly ups: number;
  /**
   * The connection that is up, or the one that comes up next: callers share one attempt. From `idle` on it begins one.
   *
   * @throws ViasshError ABORTED; the error of the state when it is not up after `waitMs` milliseconds (default: no limit), or
   * stopped
   */
  current(options?: {
    readonly signal?: AbortSignal | undefined;
    readonly waitMs?: number | undefined;
  }): Promise<Connection>;
  /** Told of every change, after it. What it throws is ignored. */
  onState(listener: (state: SupervisorState) => void): Disposable;
  /** Told of every connection that is up, before those who wait for {@link current} get it; at once when one is up now. */
  onUp(listener: (connection: Connection) => void): Disposable;
  /** Somebody uses it: while one of these is held it is not idle. */
  hold(): Disposable;
  /** While it waits: now. While it is up: probes it at once. `why` is for the log. */
  retryNow(why: string): void;
  /** Resolves once, when it has stopped; never rejects. */
  readonly stopped: Promise<CloseReason>;
  /** Ends an attempt, or the connection, at once. A second call waits for the first. */
  close(options?: CloseOptions): Promise<void>;
}
