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

/** The error as ours: what is not is wrapped as `fallback` with the original as cause. */
export function toViasshError(error: unknown, fallback: ErrorCode = 'INTERNAL'): ViasshError {
  if (isViasshError(error)) return error;
  if (error instanceof Error && error.name === 'AbortError') return abortedError(error);
  return new ViasshError(fallback, error instanceof Error ? error.message : String(error), { cause: error });
}

/** The error for an aborted operation. When the signal's own reason is one of ours, that reason is it. */
export function abortedError(reason?: unknown): ViasshError {
  return isViasshError(reason) ? reason : new ViasshError('ABORTED', 'the operation was aborted', { cause: reason });
}
