import { once } from 'node:events';
import { setTimeout as delay } from 'node:timers/promises';
import {
  abortedError,
  parseDestination,
  type ProgramRunner,
  type RemoteShell,
  type RunningProgram,
  ViasshError,
} from '@viassh/core';
import { Lines } from './lines.ts';
import { remotePlace, remoteShellWord } from './operands.ts';
import { parseProgress, type RsyncProgress } from './progress.ts';
import { rsyncFailed } from './rsync-failed.ts';
import { type RsyncStatistics, StatisticsReader } from './statistics.ts';

/** What rsync is bound to. */
export interface RsyncBinding {
  readonly programs: ProgramRunner;
  readonly remoteShell: RemoteShell;
}

/** How a transfer is made. */
export interface RsyncOptions {
  /** rsync's own options, as on its command line. Default: `['--archive']`. */
  readonly args?: readonly string[] | undefined;
  /** Called with each state that rsync reports, about once a second and after each file. */
  readonly onProgress?: ((progress: RsyncProgress) => void) | undefined;
  /** Called with each other line that rsync prints on stdout, as `-v` and `-i` have it do; unsanitised. */
  readonly onLine?: ((line: string) => void) | undefined;
  /** Ends rsync, which ends its remote shell. What came over so far stays as `--partial` says. */
  readonly signal?: AbortSignal | undefined;
  /** Where relative local names begin. */
  readonly cwd?: string | undefined;
  /** Added to the environment of rsync and of the remote shell. */
  readonly env?: Readonly<Record<string, string | undefined>> | undefined;
}

/**
 * Copies with rsync; source and destination are rsync's own: a local file, `[user@]host:path`, or `[user@]host::module`.
 * Never read as options, whatever they begin with. Wildcards of a remote path are rsync's; a local file with a colon in
 * its name is written `./a:b`.
 *
 * @throws ViasshError PROGRAM_NOT_FOUND, ABORTED, DESTINATION_INVALID, OPTION_INVALID, and by rsync's exit code
 * RSYNC_USAGE, RSYNC_STREAM, RSYNC_IO, RSYNC_PARTIAL, RSYNC_TIMEOUT, RSYNC_ENDED, REMOTE_SHELL_FAILED
 */
export type Rsync = (
  source: string | readonly string[],
  destination: string,
  options?: RsyncOptions,
) => Promise<RsyncStatistics>;

/** Makes `rsync(source, destination, options)` on a remote shell. */
export function createRsync({ programs, remoteShell }: RsyncBinding): Rsync {
  let version: Promise<RsyncVersion> | undefined;
  return async (source, destination, options = {}) => {
    const sources = typeof source === 'string' ? [source] : source;
    if (sources.length === 0)
      // rsync would list the destination, and succeed
      throw new ViasshError('OPTION_INVALID', 'rsync was given no source');
    checkArguments(options.args);
    const places = [...sources, destination];
    for (const place of places) checkPlace(place);
    if (options.signal?.aborted === true) throw abortedError(options.signal.reason);
    version ??= readVersion(programs);
    const { protectsArguments } = await version.catch((error: unknown) => {
      version = undefined; // it may be installed by the next call
      throw error;
    });
    const args = [
      '-e',
      remoteShellWord(remoteShell.path),
      ...(options.args ?? ['--archive']),
      ...(protectsArguments ? [] : ['--protect-args']),
      '--info=progress2,stats2',
      '--no-human-readable',
      '--',
      ...places,
    ];
    return await transfer(programs, args, options);
  };
}

async function transfer(
  programs: ProgramRunner,
  args: readonly string[],
  { onProgress, onLine, signal, cwd, env }: RsyncOptions,
): Promise<RsyncStatistics> {
  const running = await programs.start({
    file: 'rsync',
    args,
    stdio: ['ignore', 'pipe', 'pipe'],
    cwd,
    // Names in messages as they are, and no old habits of quoting from the surroundings.
    env: { ...env, LC_ALL: 'C.UTF-8', RSYNC_OLD_ARGS: undefined, RSYNC_PROTECT_ARGS: undefined },
    signal,
  });
  const reader = new StatisticsReader();
  const lines = new Lines((line) => {
    const progress = parseProgress(line);
    if (progress !== undefined) onProgress?.(progress);
    else if (!reader.take(line)) onLine?.(line);
  });
  const failures: unknown[] = [];
  running.stdout?.setEncoding('utf8').on('data', (text: string) => {
    try {
      lines.push(text);
    } catch (error) {
      failures.push(error); // of a callback: rsync has no use for going on
      running.kill('SIGTERM');
    }
  });
  let said = '';
  running.stderr?.setEncoding('utf8').on('data', (text: string) => (said = (said + text).slice(-KEPT)));
  const exit = await running.exit;
  await drained(running);
  if (failures.length > 0) throw failures[0];
  if (signal?.aborted === true) throw abortedError(signal.reason);
  if (exit.kind !== 'status' || exit.code !== 0) throw rsyncFailed(exit, said);
  lines.end();
  return reader.statistics;
}

const KEPT = 16 * 1024;
/** For what is left in the pipes when rsync has ended. Somebody else may hold them open for good. */
const DRAIN_MS = 500;

async function drained({ stdout, stderr }: RunningProgram): Promise<void> {
  const timer = new AbortController();
  const ends = [stdout, stderr].map(async (stream) => {
    if (stream !== undefined && !stream.closed) await once(stream, 'close', { signal: timer.signal });
  });
  const all = Promise.all(ends).catch(() => undefined);
  await Promise.race([all, delay(DRAIN_MS, undefined, { signal: timer.signal, ref: false }).catch(() => undefined)]);
  timer.abort();
  stdout?.destroy();
  stderr?.destroy();
}

/** What rsync takes for a file here, it would copy. @throws ViasshError OPTION_INVALID */
function checkArguments(args: unknown = []): void {
  if (!Array.isArray(args) || !args.every((word) => typeof word === 'string' && !word.includes('\0')))
    throw new ViasshError('OPTION_INVALID', 'args of rsync is not an array of strings without NUL', {
      hint: "write it as args: ['--archive', '--delete']",
    });
  if (args.includes('--'))
    throw new ViasshError('OPTION_INVALID', 'args of rsync has a -- in it, which ends its options', {
      hint: 'leave it away: source and destination are never read as options',
    });
}

/** @throws ViasshError OPTION_INVALID, DESTINATION_INVALID */
function checkPlace(place: string): void {
  if (place === '') throw new ViasshError('OPTION_INVALID', 'a source or destination of rsync is empty');
  if (place.includes('\0')) throw new ViasshError('OPTION_INVALID', 'a source or destination of rsync has a NUL in it');
  const remote = remotePlace(place);
  if (remote !== undefined) parseDestination(remote.destination);
}

interface RsyncVersion {
  /** Since 3.2.4 rsync itself quotes what the shell on the far end would split. */
  readonly protectsArguments: boolean;
}

/** @throws ViasshError PROGRAM_NOT_FOUND, PROGRAM_FAILED for one that is too old to report its progress */
async function readVersion(programs: ProgramRunner): Promise<RsyncVersion> {
  const { stdout } = await programs.run({ file: 'rsync', args: ['--version'] });
  const [, major, minor, patch] = /^rsync +version v?(\d+)\.(\d+)\.(\d+)/.exec(stdout)?.map(Number) ?? [];
  if (major === undefined || minor === undefined || patch === undefined || rank(major, minor, patch) < rank(3, 1, 0))
    throw new ViasshError('PROGRAM_FAILED', 'the rsync of this machine is older than 3.1 or another program', {
      hint: 'install rsync 3.1 or newer',
      cause: stdout,
    });
  return { protectsArguments: rank(major, minor, patch) >= rank(3, 2, 4) };
}

function rank(major: number, minor: number, patch: number): number {
  return (major * 1000 + minor) * 1000 + patch;
}
