import { type ErrorCode, errorCodes, type ExitStatus, ViasshError } from '@viassh/core';
import { readExit } from './exit-body.ts';

/** A ViasshError as JSON, with as much of its cause as is asked for: see `whyRefused` and `missingCommandCode` of core. */
export interface Failure {
  readonly code: string;
  readonly message: string;
  readonly hint?: string | undefined;
  readonly cause?: {
    readonly message?: string | undefined;
    readonly reason?: number | undefined;
    readonly exit?: ExitStatus | undefined;
  };
}

/** As much of a cause as is sent. */
const LONGEST = 4096;

export function failureOf({ code, message, hint, cause }: ViasshError): Failure {
  if (typeof cause !== 'object' || cause === null) return { code, message, hint };
  const { message: said, reason, exit } = cause as { message?: unknown; reason?: unknown; exit?: ExitStatus };
  return {
    code,
    message,
    hint,
    cause: {
      message: typeof said === 'string' ? said.slice(0, LONGEST) : undefined,
      reason: typeof reason === 'number' ? reason : undefined,
      exit,
    },
  };
}

/** The error that a failure was. One that has not the form of one is a PROTOCOL_ERROR. */
export function errorOf(body: unknown): ViasshError {
  const { code, message, hint, cause } = (body ?? {}) as Record<string, unknown>;
  if (typeof code !== 'string' || typeof message !== 'string')
    return new ViasshError('PROTOCOL_ERROR', 'the broker told of a failure in a form that is not known');
  const known = Object.hasOwn(errorCodes, code) ? (code as ErrorCode) : 'INTERNAL';
  return new ViasshError(known, message, { hint: typeof hint === 'string' ? hint : undefined, cause: causeOf(cause) });
}

function causeOf(cause: unknown): Error | undefined {
  if (typeof cause !== 'object' || cause === null) return undefined;
  const { message, reason, exit } = cause as Record<string, unknown>;
  const error = new Error(typeof message === 'string' ? message : '');
  if (typeof reason === 'number') Object.assign(error, { reason });
  if (exit !== undefined) Object.assign(error, { exit: readExit(exit) });
  return error;
}
