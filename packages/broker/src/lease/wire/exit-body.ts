import { type ExitStatus, ViasshError } from '@viassh/core';

/** @throws ViasshError PROTOCOL_ERROR when it is none */
export function readExit(body: unknown): ExitStatus {
  const { kind, code, signal, coreDumped, message } = (body ?? {}) as Record<string, unknown>;
  if (kind === 'missing') return { kind };
  if (kind === 'status' && typeof code === 'number') return { kind, code };
  if (kind === 'signal' && typeof signal === 'string')
    return { kind, signal, coreDumped: coreDumped === true, message: typeof message === 'string' ? message : '' };
  throw new ViasshError('PROTOCOL_ERROR', 'the broker told of an end in a form that is not known');
}
