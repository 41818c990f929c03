import { connect, type Socket } from 'node:net';
import { abortedError, type ErrorCode, ViasshError } from '@viassh/core';
import type { NearTarget } from '../spec/forward-spec.ts';

type Reason = readonly [code: ErrorCode, words: string];

const reasons: Readonly<Record<string, Reason>> = {
  ECONNREFUSED: ['CONNECTION_REFUSED', 'nothing listens there'],
  ENOENT: ['CONNECTION_REFUSED', 'there is no such socket'],
  EACCES: ['CONNECTION_REFUSED', 'this user may not'],
  EHOSTUNREACH: ['HOST_UNREACHABLE', 'there is no way to that host'],
  ENETUNREACH: ['HOST_UNREACHABLE', 'there is no way to that host'],
  ETIMEDOUT: ['CONNECT_TIMEOUT', 'it does not answer'],
  ENOTFOUND: ['HOST_NOT_FOUND', 'the name has no address'],
  EAI_AGAIN: ['HOST_NOT_FOUND', 'the name cannot be looked up at the moment'],
  EMFILE: ['TOO_MANY_CLIENTS', 'this process has as many descriptors open as it may'],
};

/**
 * Dials a target of this machine, for somebody who connected on the far end.
 *
 * @throws ViasshError CONNECTION_REFUSED, HOST_NOT_FOUND, HOST_UNREACHABLE, CONNECT_TIMEOUT, ABORTED; TOO_MANY_CLIENTS when this
 * process may open no descriptor more
 */
export async function dialNear(target: NearTarget, signal: AbortSignal): Promise<Socket> {
  if (signal.aborted) throw abortedError(signal.reason);
  const { promise, resolve, reject } = Promise.withResolvers<void>();
  const socket = connect({
    ...(target.kind === 'unix' ? { path: target.path } : { host: target.host, port: target.port, noDelay: true }),
    allowHalfOpen: true,
  });
  const onAbort = (): void => {
    reject(abortedError(signal.reason));
    socket.destroy();
  };
  signal.addEventListener('abort', onAbort, { once: true });
  socket.once('connect', resolve).on('error', (error) => reject(unreachable(target, error)));
  try {
    await promise;
    return socket;
  } finally {
    signal.removeEventListener('abort', onAbort);
  }
}

/** For messages: `localhost:25`, or the path of a socket. */
export function describeNearTarget(target: NearTarget): string {
  if (target.kind === 'unix') return target.path;
  return `${target.host.includes(':') ? `[${target.host}]` : target.host}:${target.port}`;
}

function unreachable(target: NearTarget, cause: NodeJS.ErrnoException | AggregateError): ViasshError {
  // one error for each address of the name: the last is as good as any
  const last = cause instanceof AggregateError ? (cause.errors.at(-1) as NodeJS.ErrnoException) : cause;
  const [code, words] = reasons[last.code ?? ''] ?? (['HOST_UNREACHABLE', last.message] satisfies Reason);
  return new ViasshError(code, `${describeNearTarget(target)} was not reached from here: ${words}`, {
    hint: 'the target of a remote forward is dialled from this machine: check that it listens there, as seen from here',
    cause,
  });
}
