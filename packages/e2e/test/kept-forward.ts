import { createHash, randomBytes } from 'node:crypto';
import { once } from 'node:events';
import { connect, type Socket } from 'node:net';
import process from 'node:process';
import { createInterface } from 'node:readline';
import { setTimeout as delay } from 'node:timers/promises';
import { isDeepStrictEqual } from 'node:util';
import {
  descendantsOf,
  type FaultyRelay,
  listProcesses,
  type Sshd,
  startFaultyRelay,
  startSshd,
  waitUntil,
} from '@viassh/testing';
import { descriptorsOf } from './process-figures.ts';
import { at, type RunningViassh, startViassh, type StartOptions } from './run-viassh.ts';
import { startTarget, type Target } from './start-target.ts';

/** Milliseconds in which a client of a connection that is up is answered. */
const SOON_MS = 3000;

/** A line of `viassh forward --json` about its connection. */
export interface ConnectionEvent {
  readonly state: string;
  readonly attempt?: number;
  /** Milliseconds since 1970. */
  readonly since: number;
  readonly nextRetry?: number;
  readonly error?: { readonly code: string };
}

/** What holds something for a forward: here and at the server. */
export interface KeptFigures {
  readonly descriptors: number;
  readonly children: number;
  readonly sshds: number;
}

/** A `viassh forward --keep-trying` with -L, -R and -D, each leading to an echo server, on a real sshd. */
export interface KeptForward extends RunningViassh, AsyncDisposable {
  readonly sshd: Sshd;
  /** On its way to sshd, unless it was told to dial sshd itself. */
  readonly relay: FaultyRelay;
  readonly target: Target;
  readonly ports: KeptPorts;
  /** What it said of its connection since it stood. */
  readonly events: readonly ConnectionEvent[];
  /** Once they stay the same for a moment: what is kept ready for clients to come is filled up after they came. */
  figures(): Promise<KeptFigures>;
  /** Milliseconds from `since` (of `performance.now()`) until all three ways carried something after it came `up` so many times. */
  served(since: number, ups: number, withinMs?: number): Promise<number>;
  /** SIGSTOP and SIGCONT: for the program and all that it started, as a machine that sleeps. */
  signalAll(signal: NodeJS.Signals): Promise<void>;
}

/** Where its clients find it. */
export interface KeptPorts {
  readonly local: number;
  readonly socks: number;
  readonly remote: number;
}

/** How to start one. */
export interface KeptOptions extends StartOptions {
  /** Values of `-o`. */
  readonly options?: readonly string[] | undefined;
  /** Dials sshd's own port: it can be refused there. Default: false. */
  readonly direct?: boolean | undefined;
}

/** Starts all of it, and waits until the three ways carry something. */
export async function startKeptForward(
  transport: string,
  { options = [], direct = false, ...start }: KeptOptions = {},
): Promise<KeptForward> {
  await using undo = new AsyncDisposableStack();
  const sshd = undo.use(await startSshd({ mode: 'listen', config: ['LogLevel INFO'] }));
  const relay = undo.use(await startFaultyRelay({ to: sshd.port }));
  const target = undo.use(await startTarget());
  const to = `127.0.0.1:${target.port}`;
  const way = [...at(sshd, transport), '-p', `${direct ? sshd.port : relay.port}`];
  const settings = options.flatMap((option) => ['-o', option]);
  const forwards = ['-L', `0:${to}`, '-D', '0', '-R', `0:${to}`];
  const args = ['forward', ...way, ...settings, '--keep-trying', '--json', ...forwards];
  const running = undo.use(startViassh(args, { stdin: 'ignore', ...start }));
  const [events, places]: [ConnectionEvent[], number[]] = [[], []];
  createInterface({ input: running.stdout }).on('line', (line) => {
    const event = JSON.parse(line) as ConnectionEvent & { readonly event: string; readonly listening: unknown };
    if (event.event === 'connection') events.push(event);
    if (event.event === 'listening') places.push(portIn(event.listening));
  });
  await waitUntil('the forwards to stand', () => places.length === 3, { withinMs: 20_000 }).catch((error: unknown) => {
    throw new Error(running.stderr(), { cause: error });
  });
  const [local = 0, socks = 0, remote = 0] = places;
  const ports = { local, socks, remote };
  await carry(ports, target.port);
  const owned = undo.move();
  const children = async (): Promise<number[]> =>
    descendantsOf(running.pid, await listProcesses()).map(({ pid }) => pid);
  const now = async (): Promise<KeptFigures> => ({
    descriptors: await descriptorsOf(running.pid),
    children: (await children()).length,
    sshds: (await sshd.processes()).length,
  });
  return {
    ...running,
    sshd,
    relay,
    target,
    ports,
    events,
    async figures() {
      for (let before = await now(); ; ) {
        await delay(200);
        const after = await now();
        if (isDeepStrictEqual(before, after)) return after;
        before = after;
      }
    },
    async served(since, ups, withinMs = 30_000) {
      const left = (): number => Math.max(0, since + withinMs - performance.now());
      const isUp = (): boolean => events.filter(({ state }) => state === 'up').length >= ups;
      await waitUntil('it to be up again', isUp, { withinMs: left() });
      await waitUntil('all three ways to carry something', () => carries(ports, target.port), { withinMs: left() });
      return performance.now() - since;
    },
    async signalAll(signal) {
      for (const one of [running.pid, ...(await children())]) {
        try {
          process.kill(one, signal);
        } catch (error) {
          if ((error as NodeJS.ErrnoException).code !== 'ESRCH') throw error; // one that has ended since we looked
        }
      }
    },
    [Symbol.asyncDispose]: () => owned.disposeAsync(),
  };
}

function portIn(listening: unknown): number {
  return Number(/(\d+)$/.exec(String(listening))?.[1]);
}

/** A few bytes through each way, and back. @throws Error of the first that does not give them back soon */
async function carry({ local, socks, remote }: KeptPorts, to: number): Promise<void> {
  await Promise.all([
    soon('-L', dial(local)),
    soon('-R', dial(remote)), // a dead session may still listen there, and never answer
    soon('-D', dialSocks(socks, to)),
  ]);
}

async function soon(way: string, dialling: Promise<Socket>): Promise<void> {
  const late = new AbortController();
  const work = dialling.then((socket) => {
    late.signal.addEventListener('abort', () => socket.destroy());
    return echoed(socket);
  });
  work.catch(() => undefined);
  const timeout = delay(SOON_MS, undefined, { signal: late.signal }).then(
    () => {
      throw new Error(`${way} is silent`);
    },
    () => undefined,
  );
  try {
    await Promise.race([work, timeout]);
  } finally {
    late.abort();
  }
}

async function carries(ports: KeptPorts, to: number): Promise<boolean> {
  return await carry(ports, to).then(
    () => true,
    () => false,
  );
}

/** Connects to a port of 127.0.0.1. */
export async function dial(port: number): Promise<Socket> {
  const socket = connect({ host: '127.0.0.1', port, allowHalfOpen: true });
  await once(socket, 'connect');
  return socket.on('error', () => undefined); // whoever reads it is told
}

/** The same for a SOCKS5 server, which is asked for a port of its far end's 127.0.0.1. */
export async function dialSocks(port: number, to: number): Promise<Socket> {
  const socket = await dial(port);
  socket.write(Buffer.from([5, 1, 0, 5, 1, 0, 1, 127, 0, 0, 1, to >> 8, to & 255]));
  let got = Buffer.of();
  while (got.length < 12) {
    const chunk = socket.read() as Buffer | null;
    if (chunk !== null) got = Buffer.concat([got, chunk]);
    else if (socket.readableEnded || socket.destroyed) throw new Error('it ended in the handshake');
    else await Promise.race([once(socket, 'readable'), once(socket, 'end'), once(socket, 'close')]);
  }
  if (got[3] !== 0) throw new Error(`SOCKS says ${got[3]}`);
  return socket;
}

/** Sends so many bytes through to the echo server. @throws Error when not all come back as they were */
export async function echoed(socket: Socket, bytes = 10): Promise<void> {
  const data = randomBytes(bytes);
  socket.end(data);
  const hash = createHash('sha256');
  let came = 0;
  for await (const chunk of socket) {
    came += (chunk as Buffer).length;
    hash.update(chunk as Buffer);
  }
  if (came < bytes) throw Object.assign(new Error(`${came} of ${bytes} bytes`), { code: 'CUT_SHORT' });
  if (hash.digest('hex') !== createHash('sha256').update(data).digest('hex'))
    throw Object.assign(new Error('other bytes came back'), { code: 'WRONG' });
}
