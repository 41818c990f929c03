import { type ChildProcess, execFile, spawn } from 'node:child_process';
import { once } from 'node:events';
import { type AddressInfo, createServer } from 'node:net';
import { createInterface } from 'node:readline';
import { fileURLToPath } from 'node:url';
import { promisify } from 'node:util';
import type { Sshd } from '@viassh/testing';
import type { LoadTimes } from './forward-load.ts';
import { cipher } from './link.ts';
import { viasshAlone } from './programs.ts';

/** A program that forwards a port of this machine. */
export interface RunningForward extends AsyncDisposable {
  readonly port: number;
}

/** What listens: `-L` to a port of the far end, or `-D`. */
export type Asked = { readonly to: number } | 'socks';

/** `ssh -N`, once it listens. */
export async function sshForward({ configFile, destination }: Sshd, asked: Asked): Promise<RunningForward> {
  const port = await freePort();
  const words = asked === 'socks' ? ['-D', `${port}`] : ['-L', `${port}:127.0.0.1:${asked.to}`];
  // It is run when the port is open. To try the port would be a client more for what is behind it.
  const command = ['-o', 'PermitLocalCommand=yes', '-o', 'LocalCommand=echo up'];
  const options = ['-F', configFile, '-o', `Ciphers=${cipher}`, '-o', 'ExitOnForwardFailure=yes', ...command];
  const child = spawn('ssh', [...options, '-N', ...words, destination], { stdio: ['ignore', 'pipe', 'inherit'] });
  const up = await Promise.race([once(child.stdout, 'data').then(() => true), once(child, 'exit').then(() => false)]);
  if (!up) throw new Error('ssh ended');
  return { port, [Symbol.asyncDispose]: () => ended(child) };
}

/** `viassh forward`, once it says where it listens. */
export async function viasshForward(
  { configFile, destination }: Sshd,
  transport: string,
  asked: Asked,
): Promise<RunningForward> {
  const words = asked === 'socks' ? ['-D', '0'] : ['-L', `0:127.0.0.1:${asked.to}`];
  const options = ['-F', configFile, '-o', `Ciphers=${cipher}`, '--transport', transport];
  const { file, args } = viasshAlone('forward', ...options, ...words, destination);
  const child = spawn(file, [...args], { stdio: ['ignore', 'pipe', 'inherit'] });
  for await (const line of createInterface({ input: child.stdout })) {
    const port = /^listening on tcp:\S*:(\d+)\b/.exec(line)?.[1];
    if (port !== undefined) return { port: Number(port), [Symbol.asyncDispose]: () => ended(child) };
  }
  throw new Error('viassh forward ended');
}

/** The server behind the forwards. */
export async function startForwardTarget(): Promise<RunningForward> {
  const child = spawn(process.execPath, [fileOf('forward-target.ts')], { stdio: ['pipe', 'pipe', 'inherit'] });
  const [said] = (await once(child.stdout, 'data')) as [Buffer];
  return { port: Number(said.toString().replace('port ', '')), [Symbol.asyncDispose]: () => ended(child) };
}

/** `iperf3 -s` on loopback, and another one when it has ended by itself, as 3.12 does now and then; undefined without iperf3. */
export async function startIperf(): Promise<RunningForward | undefined> {
  const port = await freePort();
  const args = ['-s', '-B', '127.0.0.1', '-p', `${port}`, '--forceflush']; // else a pipe hears nothing before its end
  let child: ChildProcess;
  let isOver = false;
  const start = async (): Promise<boolean> => {
    const started = spawn('iperf3', args, { stdio: ['ignore', 'pipe', 'ignore'] });
    started.once('exit', () => void (isOver || start()));
    child = started;
    return await Promise.race([
      once(started.stdout, 'data').then(() => true),
      once(started, 'error').then(() => false),
    ]);
  };
  if (!(await start())) return undefined;
  const dispose = async (): Promise<void> => {
    isOver = true;
    await ended(child);
  };
  return { port, [Symbol.asyncDispose]: dispose };
}

/** Milliseconds that so many bytes took, as the receiving side counts. `-R` in `words`: from the far end. */
export async function iperf(port: number, bytes: number, words: readonly string[]): Promise<number> {
  const args = ['-J', '-c', '127.0.0.1', '-p', `${port}`, '-n', `${bytes}`, ...words];
  const { stdout } = await promisify(execFile)('iperf3', args, { maxBuffer: 64 * 1024 * 1024 });
  const { end, error } = JSON.parse(stdout) as {
    end: { sum_received?: { bits_per_second: number } };
    error?: string;
  };
  if (end.sum_received === undefined) throw new Error(`iperf3: ${error ?? 'no result'}`);
  return (bytes * 8000) / end.sum_received.bits_per_second;
}

/** One run of `forward-load.ts`. */
export async function loadTimes(
  port: number,
  via: number | 'direct',
  job: 'keep-alive' | 'new' | 'open' | 'latency',
  connections: number,
  requests: number,
): Promise<LoadTimes> {
  const words = [fileOf('forward-load.ts'), port, via, job, connections, requests].map(String);
  const { stdout } = await promisify(execFile)(process.execPath, words);
  return JSON.parse(stdout) as LoadTimes;
}

function fileOf(name: string): string {
  return fileURLToPath(new URL(name, import.meta.url));
}

async function ended(child: ChildProcess): Promise<void> {
  if (child.exitCode !== null || child.signalCode !== null) return;
  const exit = once(child, 'exit');
  child.kill('SIGTERM');
  await exit;
}

async function freePort(): Promise<number> {
  const server = createServer().listen(0, '127.0.0.1');
  await once(server, 'listening');
  const { port } = server.address() as AddressInfo;
  server.close();
  await once(server, 'close');
  return port;
}
