import { access } from 'node:fs/promises';
import { createInterface } from 'node:readline';
import {
  abortedError,
  type ConnectionInfo,
  type ConnectOptions,
  exitCodeOf,
  type ProgramRunner,
  type ResolvedDestination,
  type RunningProgram,
  ViasshError,
} from '@viassh/core';
import { type Fifo, readFifoLines } from './fifo-lines.ts';
import { askFifos, askpassEnvironment, serveAskpass, serveHostKeyVerifier, verifyFifos } from './helpers.ts';
import { masterArguments } from './master-arguments.ts';
import { makePrivateFolder, type PrivateFolder } from './private-folder.ts';
import { SshLog } from './translate-error.ts';

/**
 * Runs ssh and ends it when descriptor 3 closes: the other end of that is in our process, so even SIGKILL on us ends
 * ssh. It waits for ssh itself, so the pid it kills is never somebody else's, and takes the private folder away last:
 * signals to the whole group (Ctrl-C) do not keep it from that. It kills until ssh is gone, because a SIGTERM that comes
 * between ssh's look at its flag and its poll() is heeded only at the next timer, many seconds later.
 */
const keeper = `folder=$1; shift
trap : HUP INT QUIT TERM
"$@" 3<&- & ssh=$!
(read -r _ <&3; while kill "$ssh"; do sleep 0.05; done) 2>/dev/null & watch=$!
exec 3<&-
while wait "$ssh"; status=$?; kill -0 "$ssh" 2>/dev/null; do :; done
kill "$watch" 2>/dev/null
rm -rf -- "$folder"
exit "$status"`;

/** What a master is started with. */
export interface MasterOptions extends ConnectOptions {
  readonly programs: ProgramRunner;
  readonly runtimeFolder: string;
  readonly sshFile: string;
}

/** An ssh of ours that is logged in and serves its control socket. */
export interface PrivateMaster {
  readonly socketPath: string;
  readonly info: ConnectionInfo;
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
  { programs, sshFile, verifyHostKey, authenticate, log, signal }: MasterOptions,
  folder: PrivateFolder,
  fifos: Fifo[],
  stopped: AbortSignal,
  release: () => Promise<void>,
): Promise<PrivateMaster> {
  const paths = {
    socket: folder.file('s'),
    log: folder.file('log'),
    verifyHelper: verifyHostKey.kind === 'custom' ? folder.file('verify') : undefined,
  };
  const names = [
    'log',
    ...(authenticate === undefined ? [] : askFifos),
    ...(verifyHostKey.kind === 'custom' ? verifyFifos : []),
  ];
  const made = await programs.run({ file: 'mkfifo', args: ['-m', '600', ...names.map((name) => folder.file(name))] });
  if (exitCodeOf(made.exit) !== 0) throw new ViasshError('TRANSPORT_UNAVAILABLE', `mkfifo failed: ${made.stderr}`);

  const sshLog = new SshLog(hop);
  const { promise: ready, resolve: onReady } = Promise.withResolvers<'ready'>();
  const take = (line: string): void => {
    log.debug(`ssh: ${line}`);
    if (sshLog.add(line)) onReady('ready');
  };
  let refusal: string | undefined;
  fifos.push(await readFifoLines(paths.log, take));
  if (authenticate !== undefined) fifos.push(...(await serveAskpass(folder, authenticate, stopped)));
  if (verifyHostKey.kind === 'custom') {
    fifos.push(...(await serveHostKeyVerifier(folder, verifyHostKey, hop, (reason) => (refusal ??= reason), stopped)));
  }
  if (signal?.aborted === true) throw abortedError(signal.reason);

  const program = await programs.start({
    file: '/bin/sh',
    args: [
      '-c',
      keeper,
      'viassh-keeper',
      folder.path,
      sshFile,
      ...masterArguments(hop, paths, authenticate !== undefined),
    ],
    stdio: ['ignore', 'ignore', 'pipe', 'pipe'],
    env: authenticate === undefined ? undefined : askpassEnvironment(folder),
  });
  const end = endOf(program);
  if (program.stderr !== undefined) {
    createInterface({ input: program.stderr }).on('line', (line) => {
      sshLog.add(line);
      log.info(`ssh: ${line}`);
    });
  }
  const exited = program.exit.then(async () => {
    await release();
    return 'exited' as const;
  });
  const aborted = abortOf(signal);
  const outcome = await Promise.race([ready, exited, aborted.promise]);
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
  await access(paths.socket);
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
