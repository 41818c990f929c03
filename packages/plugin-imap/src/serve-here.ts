import { pipeline } from 'node:stream/promises';
import {
  abortedError,
  type ExitStatus,
  isViasshError,
  type LocalContext,
  type RunningProgram,
  watchStderr,
} from '@viassh/core';
import { awaitWelcome } from './await-welcome.ts';
import { commandOf, type MailServer, openingOf } from './mail-server.ts';

/**
 * Runs the server's command on this machine and joins it to stdio once it greeted as logged in. `undefined`: it is not
 * here, or did not greet like that; nothing was read from the input or written to the output then.
 *
 * @throws ViasshError ABORTED
 */
export async function serveHere(
  { programs, stdio, signal, log }: LocalContext,
  server: MailServer,
  greetingTimeoutMs: number,
): Promise<ExitStatus | undefined> {
  const ending = new AbortController();
  const running = await programs.start({
    file: '/bin/sh',
    args: ['-c', commandOf(server)],
    stdio: ['pipe', 'pipe', 'pipe'],
    signal: AbortSignal.any([signal, ending.signal]),
  });
  const { stdin, stdout, stderr, exit } = running as WithStreams;
  stdin.on('error', () => undefined); // it may end before it has read everything
  const said = watchStderr(stderr, 'this machine', log);
  try {
    stdin.write(openingOf(server));
    await awaitWelcome({ output: stdout, stderr: said, exit }, server, { greetingTimeoutMs, signal, log });
    log.info('served by this machine: nothing is dialled');
    return await carry(running as WithStreams, stdio, signal);
  } catch (error) {
    if (signal.aborted) throw abortedError(signal.reason);
    if (!isViasshError(error)) throw error;
    log.info(`not served by this machine: ${error.message}`);
    return undefined;
  } finally {
    ending.abort();
    stdin.destroy();
    stdout.destroy();
    await exit;
  }
}

type WithStreams = RunningProgram &
  Required<{ readonly [K in 'stdin' | 'stdout' | 'stderr']: NonNullable<RunningProgram[K]> }>;

async function carry(
  { stdin, stdout, exit }: WithStreams,
  { input, output }: LocalContext['stdio'],
  signal: AbortSignal,
): Promise<ExitStatus> {
  input.pipe(stdin);
  try {
    await pipeline(stdout, output, { end: false, signal });
    return await exit;
  } catch (error) {
    if (signal.aborted) throw error;
    // A filter whose reader has gone: what a shell would show of any other one.
    return { kind: 'signal', signal: 'PIPE', coreDumped: false, message: '' };
  } finally {
    input.unpipe(stdin).pause();
  }
}
