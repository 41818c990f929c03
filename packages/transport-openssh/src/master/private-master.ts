import { access } from 'node:fs/promises';
import { createInterface } from 'node:readline';
import {
  abortedError,
  type ConnectOptions,
  type HopInfo,
  knownHostsName,
  type ProgramRunner,
  type ResolvedDestination,
  ViasshError,
} from '@viassh/core';
import { askFifos, askpassEnvironment, serveAskpass } from './askpass.ts';
import { type Fifo, type ReadAt, readFifoLines } from './fifo-lines.ts';
import { startKeeper } from './keeper.ts';
import { serveHostKeyVerifier, verifyFifos } from './known-hosts-command.ts';
import { type MasterRole, masterArguments } from './master-arguments.ts';
import { makePrivateFolder, type PrivateFolder, sweepBeside } from './private-folder.ts';
import type { ProxyWire } from './proxy-wire.ts';
import { SshLog } from './translate-error.ts';

/** A shell's own status for a program that it could not start (POSIX 2.8.2); ssh's for a failure is 255. */
const CANNOT_START: ReadonlySet<number> = new Set([126, 127]);

/** What a master is started with. */
export interface MasterOptions extends ConnectOptions {
  readonly programs: ProgramRunner;
  readonly runtimeFolder: string;
  readonly sshFile: string;
  /** ssh asks nobody, on no terminal and by no program (BatchMode). Default: false. */
  readonly asksNobody?: boolean | undefined;
}

/** What one master of a route is: by default the only one. */
export interface MasterPlace extends MasterRole {
  /** The one that it is reached through. */
  readonly before?: PrivateMaster | undefined;
  /** For the way `stdio`. It is closed with the master, also with one that does not come up. */
  readonly wire?: ProxyWire | undefined;
}

/** An ssh of ours that is logged in and serves its control socket. */
export interface PrivateMaster {
  readonly socketPath: string;
  /** Its `state` is live. */
  readonly info: HopInfo;
  /** What it said and still says. */
  readonly sshLog: SshLog;
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
export async function startMaster(
  hop: ResolvedDestination,
  options: MasterOptions,
  place: MasterPlace = { way: { kind: 'direct' }, isLast: true },
): Promise<PrivateMaster> {
  const folder = await makePrivateFolder(options.runtimeFolder);
  const stopped = new AbortController();
  const fifos: Fifo[] = [];
  const release = async (): Promise<void> => {
    place.wire?.close();
    stopped.abort();
    for (const fifo of fifos) fifo.close();
    await folder.remove();
  };
  try {
    const [master] = await Promise.all([
      launch(hop, options, place, folder, fifos, stopped.signal, release),
      place.before === undefined ? sweepBeside(folder).catch(() => undefined) : undefined,
    ]);
    return master;
  } catch (error) {
    await release();
    throw error;
  }
}

async function launch(
  hop: ResolvedDestination,
  { programs, sshFile, verifyHostKey, authenticate, asksNobody = false, log, signal }: MasterOptions,
  place: MasterPlace,
  folder: PrivateFolder,
  fifos: Fifo[],
  stopped: AbortSignal,
  release: () => Promise<void>,
): Promise<PrivateMaster> {
  const verifies = verifyHostKey.kind === 'custom';
  const socketPath = folder.file('s');
  const paths = {
    socket: socketPath,
    log: folder.file('log'),
    verifyScript: verifies ? folder.file('verify') : undefined,
  };
  if (signal?.aborted === true) throw abortedError(signal.reason);
  const options = [...(place.options ?? []), ...(asksNobody ? ['BatchMode=yes'] : [])];
  const sshLog = new SshLog(hop, { before: place.before?.sshLog, isLast: place.isLast });
  const keeper = await startKeeper(programs, folder, {
    fifos: ['log', ...(authenticate === undefined ? [] : askFifos), ...(verifies ? verifyFifos : [])],
    command: [sshFile, ...masterArguments(hop, paths, { ...place, options })],
    stdio: place.way.kind === 'stdio',
    env: authenticate === undefined ? undefined : askpassEnvironment(folder),
  });
  const toldAside: string[] = [];
  if (keeper.stderr !== undefined) {
    createInterface({ input: keeper.stderr }).on('line', (line) => {
      if (toldAside.length < 10) toldAside.push(line);
      sshLog.addStderr(line);
      log.info(`ssh: ${line}`);
    });
  }
  let notStarted = false;
  const exited = keeper.exited.then(async (status) => {
    notStarted = status.kind === 'status' && CANNOT_START.has(status.code);
    sshLog.ended();
    await release();
    return 'exited' as const;
  });

  const ready = Promise.withResolvers<'ready'>();
  let refusal: string | undefined;
  const serveFifos = async (): Promise<void> => {
    const onLogLine = (line: string, at: ReadAt): void => {
      log.debug(`ssh: ${line}`);
      if (!sshLog.add(line, at)) return;
      // A server can make ssh log lines of its choice; the socket is there only after the login.
      access(socketPath).then(
        () => ready.resolve('ready'),
        () => undefined,
      );
    };
    fifos.push(await readFifoLines(paths.log, onLogLine));
    if (authenticate !== undefined) fifos.push(...(await serveAskpass(folder, authenticate, sshLog, stopped)));
    if (verifies) {
      fifos.push(
        ...(await serveHostKeyVerifier(folder, verifyHostKey, hop, (reason) => (refusal ??= reason), stopped)),
      );
    }
  };
  const aborted = abortOf(signal);
  try {
    const made = await Promise.race([keeper.made, exited, aborted.promise]);
    if (made === 'exited')
      throw new ViasshError('TRANSPORT_UNAVAILABLE', `mkfifo failed: ${toldAside.join(' ') || 'it gave no reason'}`);
    if (made === 'aborted') throw abortedError(signal?.reason);
    await serveFifos();
    if (keeper.stdin !== undefined && keeper.stdout !== undefined) place.wire?.join(keeper.stdout, keeper.stdin);
    keeper.go();
    const outcome = await Promise.race([ready.promise, exited, aborted.promise]);
    if (outcome === 'aborted') throw abortedError(signal?.reason);
    if (outcome === 'exited' && notStarted) throw sshNotFound(sshFile, toldAside);
    if (outcome === 'exited') throw refusal === undefined ? sshLog.failure(hop) : hostKeyRefused(hop, refusal);
  } catch (error) {
    keeper.end();
    await exited;
    throw error;
  } finally {
    aborted.release();
  }
  return {
    socketPath,
    info: sshLog.info,
    sshLog,
    ended: exited.then(() => sshLog.loss()),
    stop: async () => {
      keeper.end();
      await exited;
    },
  };
}

function abortOf(signal: AbortSignal | undefined): { promise: Promise<'aborted'>; release: () => void } {
  const { promise, resolve } = Promise.withResolvers<'aborted'>();
  const onAbort = (): void => resolve('aborted');
  signal?.addEventListener('abort', onAbort, { once: true });
  if (signal?.aborted === true) onAbort();
  return { promise, release: () => signal?.removeEventListener('abort', onAbort) };
}

function sshNotFound(sshFile: string, told: readonly string[]): ViasshError {
  return new ViasshError('PROGRAM_NOT_FOUND', `the program ${sshFile} cannot be started`, {
    hint: 'install the OpenSSH client, or use --transport ssh2',
    cause: told.join('\n'),
  });
}

function hostKeyRefused(hop: ResolvedDestination, reason: string): ViasshError {
  return new ViasshError('HOST_KEY_REFUSED', `the host key of ${knownHostsName(hop)} was refused: ${reason}`, {
    hint: 'the verifier of this program decides; known_hosts was not asked',
  });
}
