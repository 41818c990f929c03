import { type ChildProcess, type ChildProcessByStdio, spawn } from 'node:child_process';
import { once } from 'node:events';
import { globSync, rmSync, statSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import process from 'node:process';
import type { Readable, Writable } from 'node:stream';
import { fileURLToPath } from 'node:url';

const packages = fileURLToPath(new URL('../..', import.meta.url));

/** The built CLI: what a user runs. */
export const cliFile: string = join(packages, 'cli/bundle/main.js');
/** The built remote shell, `viassh-ssh`. */
export const remoteShellFile: string = join(packages, 'cli/bundle/viassh-ssh.js');
const built = statSync(cliFile).mtimeMs;
const newer = globSync('*/src/**/*.ts', { cwd: packages }).find(
  (file) => statSync(join(packages, file)).mtimeMs > built,
);
if (newer !== undefined) throw new Error(`packages/${newer} is newer than the built CLI: pnpm build`);

/** Every suite runs on both. */
export const transports = ['openssh', 'ssh2'] as const;

/** Where the runs of this test process have their private folders: nothing may stay in it. */
export const runtimeFolder: string = join(tmpdir(), `viassh-test-${process.pid}-run`);
/** Where their log files are, for those that keep some and name no other place. */
const stateFolder = join(tmpdir(), `viassh-test-${process.pid}-state`);
process.once('exit', () => {
  for (const folder of [runtimeFolder, stateFolder]) rmSync(folder, { recursive: true, force: true });
});

/** What of our own surroundings a run must not see: the test runner's, and this person's agent and display. */
const hidden = [
  'NODE_PATH',
  'FORCE_COLOR',
  'NO_COLOR',
  'NODE_DISABLE_COLORS',
  'SSH_AUTH_SOCK',
  'SSH_ASKPASS',
  'SSH_ASKPASS_REQUIRE',
  'DISPLAY',
  'WAYLAND_DISPLAY',
  'VIASSH_CONFIG',
  'VIASSH_TRANSPORT',
  'VIASSH_SSH_OPTIONS',
  ...Object.keys(process.env).filter((name) => /^_?TAP|^npm_|^pnpm_/i.test(name)),
];
/** The environment of a run, before what a test adds. */
export const surroundings: NodeJS.ProcessEnv = {
  ...process.env,
  ...Object.fromEntries(hidden.map((name) => [name, undefined])),
  VIASSH_RUNTIME_DIR: runtimeFolder,
  VIASSH_STATE_DIR: stateFolder,
};

/** How one run is started. */
export interface StartOptions {
  /** Added to the environment; `undefined` takes a variable away. */
  readonly env?: Readonly<Record<string, string | undefined>> | undefined;
  readonly cwd?: string | undefined;
  /** Default: `pipe`. `ignore` is /dev/null. */
  readonly stdin?: 'pipe' | 'ignore' | undefined;
  /** Aborting is SIGKILL. */
  readonly signal?: AbortSignal | undefined;
  /** Another file than the built CLI. */
  readonly file?: string | undefined;
  /** Options of node itself. */
  readonly nodeArgs?: readonly string[] | undefined;
  /** A script for sh in which `"$@"` is the run: `"$@" | head -1`. */
  readonly shell?: string | undefined;
}

/** How a run ended. */
export interface Exit {
  readonly code: number | null;
  readonly signal: NodeJS.Signals | null;
}

/** A run and all that it said. */
export interface Outcome extends Exit {
  readonly stdout: Buffer;
  readonly stderr: string;
}

/** A run that goes on. Disposing kills it. */
export interface RunningViassh extends AsyncDisposable {
  readonly pid: number;
  readonly stdin: Writable;
  /** Nobody reads it but the caller. */
  readonly stdout: Readable;
  /** What it said on stderr so far. */
  stderr(): string;
  readonly exit: Promise<Exit>;
  kill(signal: NodeJS.Signals): void;
}

/** Starts `viassh ARGS…` in a session of its own, so that no terminal is there to ask on. */
export function startViassh(args: readonly string[], options: StartOptions = {}): RunningViassh {
  const { env = {}, cwd, stdin = 'pipe', signal, file = cliFile, nodeArgs = [], shell } = options;
  // tap puts NODE_OPTIONS back into what is spawned: env takes it out again, and execs.
  const words = ['-u', 'NODE_OPTIONS', ...(shell === undefined ? [] : ['/bin/sh', '-c', shell, 'sh'])];
  const child = spawn('/usr/bin/env', [...words, process.execPath, ...nodeArgs, file, ...args], {
    env: { ...surroundings, ...env },
    cwd,
    stdio: [stdin, 'pipe', 'pipe'],
    detached: true,
  }) as ChildProcessByStdio<Writable | null, Readable, Readable>;
  let said = '';
  child.stderr.setEncoding('utf8').on('data', (text: string) => (said += text));
  child.stdin?.on('error', () => undefined); // it may end before it has read everything
  const kill = (name: NodeJS.Signals): void => void (isAlive(child) && child.kill(name));
  const onAbort = (): void => kill('SIGKILL');
  signal?.addEventListener('abort', onAbort, { once: true });
  const exit = once(child, 'close').then(() => {
    signal?.removeEventListener('abort', onAbort);
    return { code: child.exitCode, signal: child.signalCode };
  });
  return {
    pid: child.pid ?? 0,
    stdin: child.stdin as Writable,
    stdout: child.stdout,
    stderr: () => said,
    exit,
    kill,
    async [Symbol.asyncDispose]() {
      kill('SIGKILL');
      child.stdout.destroy();
      await exit;
    },
  };
}

/** How a whole run is made. */
export interface RunOptions extends StartOptions {
  /** All of stdin; default: nothing, and its end at once. */
  readonly input?: string | Uint8Array | undefined;
  /** A run that takes longer hangs: it is killed, and the promise rejects with what it said. Default: 30000. */
  readonly withinMs?: number | undefined;
}

/** Runs `viassh ARGS…` to its end. */
export async function viassh(args: readonly string[], options: RunOptions = {}): Promise<Outcome> {
  const { input, withinMs = 30_000, ...start } = options;
  await using running = startViassh(args, start);
  const chunks: Buffer[] = [];
  running.stdout.on('data', (chunk: Buffer) => chunks.push(chunk));
  if (start.stdin !== 'ignore') running.stdin.end(input);
  let late = false;
  const deadline = setTimeout(() => {
    late = true;
    running.kill('SIGKILL');
  }, withinMs);
  const exit = await running.exit;
  clearTimeout(deadline);
  if (late) throw new Error(`viassh ${args.join(' ')} hangs; it said: ${running.stderr()}`);
  return { ...exit, stdout: Buffer.concat(chunks), stderr: running.stderr() };
}

/** Arguments that name the fixture's destination on a transport: `[...at(sshd, 'ssh2')]` after the command's name. */
export function at(sshd: { readonly configFile: string; readonly destination: string }, transport: string): string[] {
  return ['-F', sshd.configFile, '--transport', transport, sshd.destination];
}

function isAlive({ exitCode, signalCode }: ChildProcess): boolean {
  return exitCode === null && signalCode === null;
}
