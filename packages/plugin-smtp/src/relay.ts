import {
  admitOwnUser,
  announceNearEnd,
  bridge,
  type ExitStatus,
  type FarEnd,
  type NearEnd,
  type PluginContext,
  sanitize,
  serveClients,
  type ViasshError,
} from '@viassh/core';
import { openGreeted } from './open-greeted.ts';

/** How an SMTP server is relayed. */
export interface RelayOptions {
  readonly greetingTimeoutMs: number;
}

/**
 * SMTP on stdin and stdout, transparent both ways: nothing is dropped and nothing added. Resolves to the status of the
 * far end's command, or 0 where the far end is a socket.
 *
 * @throws ViasshError as openGreeted; CONNECTION_LOST, ABORTED, STREAM_FAILED
 */
export async function relay(
  { connection, stdio, signal, log }: PluginContext,
  farEnd: FarEnd,
  { greetingTimeoutMs: timeoutMs }: RelayOptions,
): Promise<ExitStatus> {
  const { channel, exit: ending } = await openGreeted(connection, farEnd, {
    timeoutMs,
    signal,
    log,
    // At once: a client that gives up before the greeting is then known to the server.
    onOpen: (opened) => void bridge(opened, { input: stdio.input }, { signal }),
  });
  const { done, progress } = bridge(channel, { output: stdio.output }, { signal });
  await done;
  const exit = await ending;
  // A filter whose reader has gone: what a shell would show of any other one.
  if (progress.outputClosed && exit?.kind !== 'status')
    return { kind: 'signal', signal: 'PIPE', coreDumped: false, message: '' };
  return exit ?? { kind: 'status', code: 0 };
}

/**
 * Serves each client of a near end an SMTP session of its own. Says on stdout where it listens once clients may come.
 *
 * @throws ViasshError LISTEN_FAILED, CONNECTION_LOST, ABORTED; never resolves
 */
export async function serveRelay(
  { connection, stdio, signal, log, json, ready }: PluginContext,
  farEnd: FarEnd,
  nearEnd: NearEnd,
  { greetingTimeoutMs: timeoutMs }: RelayOptions,
): Promise<never> {
  return await serveClients(
    connection,
    nearEnd,
    async (either) => (await openGreeted(connection, farEnd, { timeoutMs, signal: either, log })).channel,
    {
      signal,
      log,
      farewell,
      onListening: (actual) => {
        stdio.output.write(announceNearEnd(actual, json));
        ready();
      },
      // What anybody over there may dial, anybody here may as well; a command runs as the user who logged in.
      ...(farEnd.kind === 'exec' && nearEnd.kind === 'tcp' ? { admit: admitOwnUser(log) } : {}),
    },
  );
}

/** RFC 5321 §3.1: a client that is told 421 keeps its message and comes again; to who may not come it is 554. */
export function farewell({ code, message }: Pick<ViasshError, 'code' | 'message'>): string {
  const text = sanitize(message)
    .replace(/[^ -~]/g, '?')
    .slice(0, 400); // §4.5.3.1.5: 512 bytes with its code and line end
  return `${code === 'CLIENT_REFUSED' ? '554 5.7.1' : '421 4.3.0'} viassh: ${text} (${code})\r\n`;
}
