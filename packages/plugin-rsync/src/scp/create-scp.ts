import type { Readable } from 'node:stream';
import {
  abortedError,
  describeExit,
  type ExitStatus,
  type ProgramRunner,
  type RemoteShell,
  type RunningProgram,
  sanitize,
  ViasshError,
} from '@viassh/core';
import { type RemoteFile, scpOperands } from './scp-operands.ts';

/** What {@link createScp} is made of. */
export interface ScpParts {
  readonly programs: ProgramRunner;
  readonly remoteShell: RemoteShell;
}

/** How files are copied. */
export interface ScpOptions {
  /** Folders with all that is in them. Default: false, and a folder is an error. */
  readonly recursive?: boolean | undefined;
  /** Times and modes as they were. Default: false. */
  readonly preserve?: boolean | undefined;
  /** Ends scp; what was copied by then stays. */
  readonly signal?: AbortSignal | undefined;
}

/**
 * Copies one file or folder; a string is a path here, whatever characters are in it. Both ends may be remote: the bytes
 * then come through this machine. An existing folder as destination takes the copy inside, as with scp.
 *
 * @throws ViasshError PROGRAM_FAILED (its `cause` is a {@link ScpFailure}), PROGRAM_NOT_FOUND, DESTINATION_INVALID,
 * OPTION_INVALID, ABORTED
 */
export type Scp = (source: string | RemoteFile, target: string | RemoteFile, options?: ScpOptions) => Promise<void>;

/** The `cause` of a PROGRAM_FAILED: how scp ended, and the end of its stderr, raw. */
export interface ScpFailure {
  readonly exit: ExitStatus;
  readonly stderr: string;
}

/** scp over our remote shell, by the sftp protocol: paths there meet no shell. Wants the scp of OpenSSH 8.7 or later. */
export function createScp({ programs, remoteShell }: ScpParts): Scp {
  return async (source, target, { recursive = false, preserve = false, signal } = {}) => {
    const { port, operands } = scpOperands(source, target);
    refuseAborted(signal);
    const args = [
      '-s',
      '-S',
      remoteShell.path,
      ...(port === undefined ? [] : ['-P', String(port)]),
      ...(recursive ? ['-r'] : []),
      ...(preserve ? ['-p'] : []),
      '--',
      ...operands,
    ];
    const running = await programs.start({ file: 'scp', args, stdio: ['ignore', 'ignore', 'pipe'], signal });
    const failure = await endOf(running, signal);
    refuseAborted(signal);
    if (failure.exit.kind !== 'status' || failure.exit.code !== 0) throw scpFailed(failure);
  };
}

function refuseAborted(signal: AbortSignal | undefined): void {
  if (signal?.aborted === true) throw abortedError(signal.reason);
}

const MOST_KEPT = 4096; // characters of stderr

/** Reads stderr to its end, but does not wait for it once the caller has had enough: a server may hold it open. */
async function endOf({ exit, stderr }: RunningProgram, signal: AbortSignal | undefined): Promise<ScpFailure> {
  let kept = '';
  stderr?.setEncoding('utf8').on('data', (text: string) => (kept = (kept + text).slice(-MOST_KEPT)));
  const status = await exit;
  await closedOrAborted(stderr, signal);
  return { exit: status, stderr: kept };
}

async function closedOrAborted(stderr: Readable | undefined, signal: AbortSignal | undefined): Promise<void> {
  if (stderr === undefined || stderr.closed) return;
  await new Promise<void>((resolve) => {
    const done = (): void => {
      signal?.removeEventListener('abort', done);
      resolve();
    };
    stderr.once('close', done).once('error', done);
    signal?.addEventListener('abort', done, { once: true });
    if (signal?.aborted === true) done();
  });
  stderr.destroy();
}

function scpFailed(failure: ScpFailure): ViasshError {
  const lines = failure.stderr.split('\n').filter((line) => line.trim() !== '');
  const said = lines.find((line) => /Received message too long/.test(line)) ?? lines.at(-1);
  const ending = `scp ended with ${describeExit(failure.exit)}`;
  return new ViasshError('PROGRAM_FAILED', said === undefined ? ending : `${ending}: ${sanitize(said)}`, {
    hint: hintFor(failure.stderr),
    cause: failure,
  });
}

function hintFor(stderr: string): string {
  if (/Received message too long/.test(stderr))
    return 'let the start-up files of the shell there (.bashrc, .profile, .cshrc) print nothing when nobody is at a terminal';
  if (/(?:unknown|invalid|illegal) option -- '?s/.test(stderr)) return 'install OpenSSH 8.7 or later';
  if (/not a regular file/.test(stderr)) return 'a folder is copied with recursive: true';
  return 'all that scp said is in the cause';
}
