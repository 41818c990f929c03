import { type ErrorCode, type ErrorEntry, errorEntry } from './error-codes.ts';
import { sanitize } from './sanitize.ts';

/** What a {@link ViasshError} is made from. */
export interface ViasshErrorInit {
  /** What the person can do next, one sentence. */
  hint?: string | undefined;
  /** The raw reason, unsanitised: never shown without -v. */
  cause?: unknown;
}

/** The one error class. Recognise it with {@link isViasshError} and by `code`, never by its text. */
export class ViasshError extends Error {
  readonly code: ErrorCode;
  readonly hint: string | undefined;
  /** Set on the prototype: tells errors of ours apart across copies of this package. */
  declare readonly viasshError: true;

  constructor(code: ErrorCode, message: string, init: ViasshErrorInit = {}) {
    super(sanitize(message), init.cause === undefined ? undefined : { cause: init.cause });
    this.code = code;
    this.hint = init.hint === undefined ? undefined : sanitize(init.hint);
  }

  /** `transient` or `permanent`, and the exit code, from the table. */
  get entry(): ErrorEntry {
    return errorEntry(this.code);
  }
}
Object.defineProperty(ViasshError.prototype, 'name', { value: 'ViasshError' });
Object.defineProperty(ViasshError.prototype, 'viasshError', { value: true });

/** True for a {@link ViasshError}, also one of another copy of this package; with `code`, only for that one. */
export function isViasshError(error: unknown, code?: ErrorCode): error is ViasshError {
  if (typeof error !== 'object' || error === null || !('viasshError' in error)) return false;
  return code === undefined || (error as ViasshError).code === code;
}

/**
 * The error as ours: what is not is wrapped as `fallback` with the original as cause. What the machine had no room for is
 * MACHINE_BUSY unless a fallback is given: no mistake of ours.
 */
export function toViasshError(error: unknown, fallback?: ErrorCode): ViasshError {
  if (isViasshError(error)) return error;
  if (error instanceof Error && error.name === 'AbortError') return abortedError(error);
  const message = error instanceof Error ? error.message : String(error);
  const busy = fallback === undefined ? machineBusy(error, message) : undefined;
  return busy ?? new ViasshError(fallback ?? 'INTERNAL', message, { cause: error });
}

/** The error for an aborted operation. When the signal's own reason is one of ours, that reason is it. */
export function abortedError(reason?: unknown): ViasshError {
  return isViasshError(reason) ? reason : new ViasshError('ABORTED', 'the operation was aborted', { cause: reason });
}

/** What fork(2), execve(2) and open(2) say when there is no process, memory or descriptor left: it passes. */
const BUSY: ReadonlySet<string> = new Set(['EAGAIN', 'ENOMEM', 'EMFILE', 'ENFILE']);

/** MACHINE_BUSY, where the system's code says so. `what` could not be done: the beginning of the message. */
export function machineBusy(cause: unknown, what: string): ViasshError | undefined {
  const code = cause instanceof Error ? (cause as NodeJS.ErrnoException).code : undefined;
  if (code === undefined || !BUSY.has(code)) return undefined;
  return new ViasshError('MACHINE_BUSY', `${what}: this machine had no room for it at the moment (${code})`, {
    hint: 'try again in a moment; ulimit -u and ulimit -n show how many processes and descriptors there may be',
    cause,
  });
}
