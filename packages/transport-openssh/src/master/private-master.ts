import { access } from 'node:fs/promises';
import { createInterface } from 'node:readline';
import {
  abortedError,
  type ConnectOptions,
  exitCodeOf,
  type HopInfo,
  type ProgramRunner,
  type ResolvedDestination,
  type RunningProgram,
  ViasshError,
} from '@viassh/core';
import { askFifos, askpassEnvironment, serveAskpass } from './askpass.ts';
import { type Fifo, readFifoLines } from './fifo-lines.ts';
import { keeperScript } from './keeper.ts';
import { serveHostKeyVerifier, verifyFifos } from './known-hosts-command.ts';
import { masterArguments } from './master-arguments.ts';
import { makePrivateFolder, type PrivateFolder } from './private-folder.ts';
import type { SshVersion } from './ssh-version.ts';
import { SshLog } from './translate-error.ts';

/** What a master is started with. */
export interface MasterOptions extends ConnectOptions {
  readonly programs: ProgramRunner;
  readonly runtimeFolder: string;
  readonly sshFile: string;
  /** Of that binary; undefined: nobody could tell. */
  readonly version: SshVersion | undefined;
}

/** An ssh of ours that is logged in and serves its control socket. */
export interface PrivateMaster {
  readonly socketPath: string;
  readonly info: HopInfo;
  /** Resolves with the reason when ssh ended, whoever ended it. */
  readonly ended: Promise<ViasshError>;
  /** Ends ssh and resolves when it and its folder are gone. */
  stop(): Promise<void>;
}

/**
 * Starts a private master for one hop and waits until it is logged in.
 *
 * @throws ViasshError of "reaching the server", "who the server is", "who we are"; ABORTED; PROGRAM_NOT_FOUND.
 */
export async function startMaster(hop: ResolvedDestination, options: MasterOptions): Promise<PrivateMaster> {
  const folder = await makePrivateFolder(options.runtimeFolder);
  const stopped = new AbortController();
  const fifos: Fifo[] = [];
  const release = async (): Promise<void> => {
    stopped.abort();
    for (const fifo of fifos) fifo.close();
    await folder.remove();
  };
  try {
    return await launch(hop, options, folder, fifos, stopped.signal, release);
  } catch (error) {
    await release();
    throw error;
  }
}

async function launch(
  hop: ResolvedDestination,
  { programs, sshFile, version, verifyHostKey, authenticate, log, signal }: MasterOptions,
  folder: PrivateFolder,
  fifos: Fifo[],
  stopped: AbortSignal,
  release: () => Promise<void>,
): Promise<PrivateMaster> {
  const verifies = verifyHostKey.kind === 'custom';
  const paths = {
    socket: folder.file('s'),
    log: folder.file('log'),
    verifyScript: verifies ? folder.file('verify') : undefined,
  };
  await makeFifos(programs, folder, [
    'log',
    ...(authenticate === undefined ? [] : askFifos),
    ...(verifies ? verifyFifos : []),
  ]);

  const sshLog = new SshLog(hop);
  const ready = Promise.withResolvers<'ready'>();
  const onLogLine = (line: string): void => {
    log.debug(`ssh: ${line}`);
    if (!sshLog.add(line)) return;
    // A server can make ssh log lines of its choice; the socket is there only after the login.
    access(paths.socket).then(
      () => ready.resolve('ready'),
      () => undefined,
    );
  };
  let refusal: string | undefined;
  fifos.push(await readFifoLines(paths.log, onLogLine));
  if (authenticate !== undefined) fifos.push(...(await serveAskpass(folder, authenticate, sshLog, stopped)));
  if (verifies) {
    fifos.push(...(await serveHostKeyVerifier(folder, verifyHostKey, hop, (reason) => (refusal ??= reason), stopped)));
  }
  if (signal?.aborted === true) throw abortedError(signal.reason);

  const program = await programs.start({
    file: '/bin/sh',
    args: ['-c', keeperScript, 'viassh-keeper', folder.path, sshFile, ...masterArguments(hop, paths, version)],
    stdio: ['ignore', 'ignore', 'pipe', 'pipe'],
    env: authenticate === undefined ? undefined : askpassEnvironment(folder),
  });
  const end = endOf(program);
  if (program.stderr !== undefined) {
    createInterface({ input: program.stderr }).on('line', (line) => {
      sshLog.addStderr(line);
      log.info(`ssh: ${line}`);
    });
  }
  const exited = program.exit.then(async () => {
    await release();
    return 'exited' as const;
  });
  const aborted = abortOf(signal);
  const outcome = await Promise.race([ready.promise, exited, aborted.promise]);
  aborted.release();
  if (outcome === 'aborted') {
    end();
    await exited;
    throw abortedError(signal?.reason);
  }
  if (outcome === 'exited') {
    if (refusal !== undefined) throw hostKeyRefused(refusal);
    throw sshLog.failure(hop);
  }
  return {
    socketPath: paths.socket,
    info: sshLog.info,
    ended: exited.then(() => sshLog.loss()),
    stop: async () => {
      end();
      await exited;
    },
  };
}

async function makeFifos(programs: ProgramRunner, folder: PrivateFolder, names: readonly string[]): Promise<void> {
  const files = names.map((name) => folder.file(name));
  const { exit, stderr } = await programs.run({ file: 'mkfifo', args: ['-m', '600', '--', ...files] });
  if (exitCodeOf(exit) !== 0) throw new ViasshError('TRANSPORT_UNAVAILABLE', `mkfifo failed: ${stderr}`);
}

/** Closing our end of descriptor 3 ends ssh. */
function endOf(program: RunningProgram): () => void {
  const lifetime = program.descriptor(3);
  lifetime?.on('error', () => undefined);
  lifetime?.resume();
  return () => void lifetime?.destroy();
}

function abortOf(signal: AbortSignal | undefined): { promise: Promise<'aborted'>; release: () => void } {
  const { promise, resolve } = Promise.withResolvers<'aborted'>();
  const onAbort = (): void => resolve('aborted');
  signal?.addEventListener('abort', onAbort, { once: true });
  if (signal?.aborted === true) onAbort();
  return { promise, release: () => signal?.removeEventListener('abort', onAbort) };
}

function hostKeyRefused(reason: string): ViasshError {
  return new ViasshError('HOST_KEY_REFUSED', `the host key was refused: ${reason}`, {
    hint: 'the verifier of this program decides; known_hosts was not asked',
  });
}
