import { randomInt } from 'node:crypto';
import { once } from 'node:events';
import { type AddressInfo, connect as dial, createServer, type Server } from 'node:net';
import type { Duplex } from 'node:stream';
import { setTimeout as delay } from 'node:timers/promises';
import {
  isViasshError,
  type RemoteListener,
  silentLogger,
  supervisedConnection,
  type SupervisedConnection,
} from '@viassh/core';
import { waitUntil } from '@viassh/testing';
import type { transports } from './run-viassh.ts';
import { startSupervised, type SupervisedSshd } from './supervised-sshd.ts';

/** What is told of a run. */
export interface CutsOutcome {
  /** How often each operation of the load ended how. */
  readonly counts: Readonly<Record<string, number>>;
  /** Milliseconds from each cut until the local and the remote way carried something again, by its kind. */
  readonly times: Readonly<Record<string, readonly number[]>>;
  /** The place of the remote forward never changed. */
  readonly samePlace: boolean;
  /** What each round left of memory, when `memory` was given. */
  readonly memory: readonly number[];
}

/** What a cut may do to those who are in the middle of something. */
export const allowedOutcomes: readonly string[] = [
  'ok',
  'cut short',
  'no answer',
  'CONNECTION_LOST',
  'ECONNREFUSED',
  'ECONNRESET',
  'CHANNEL_REFUSED',
];

const BACK_MS = 30_000;
const ANSWER_MS = 5000;

/**
 * Cuts the wire of a supervised connection again and again under mixed load: commands, direct channels, a remote forward.
 * After each cut both ways have to carry something again.
 *
 * @throws Error when they do not within half a minute
 */
export async function manyCuts(
  transport: (typeof transports)[number],
  {
    cuts,
    chance,
    memory,
  }: { readonly cuts: number; readonly chance: () => number; readonly memory?: (() => number) | undefined },
): Promise<CutsOutcome> {
  const counts: Record<string, number> = {};
  const times: Record<string, number[]> = {};
  const held: number[] = [];
  await using supervised = await startSupervised(transport, {
    options: ['ServerAliveInterval=1', 'ServerAliveCountMax=1', 'ConnectTimeout=3'],
  });
  await using connection = supervisedConnection(supervised.supervisor, { log: silentLogger, evict: true });
  await using near = await startEcho();
  const forward = await connection.requestForward({ kind: 'tcpip', port: 0 }, (incoming) => {
    const channel = incoming.accept();
    channel.on('error', () => undefined);
    channel.pipe(channel);
  });
  const ways: readonly (() => Promise<string>)[] = [
    () => direct(connection, near.port, someBytes()),
    () => remote(forward, someBytes()),
    () => command(connection, someBytes()),
  ];
  const place = portOf(forward);
  const over = new AbortController();
  const load = ways.map(async (way) => {
    while (!over.signal.aborted) {
      const outcome = await way();
      counts[outcome] = (counts[outcome] ?? 0) + 1;
      if (outcome !== 'ok') await delay(10);
    }
  });
  try {
    for (let round = 0; round < cuts; round += 1) {
      await delay(chance() * 100);
      const { ups } = supervised.supervisor;
      const began = performance.now();
      const kind = harm(supervised, chance);
      await waitUntil('the next connection', () => supervised.supervisor.ups > ups, { withinMs: BACK_MS });
      for (const way of [() => direct(connection, near.port, 10), () => remote(forward, 10)])
        await waitUntil('service', async () => (await way()) === 'ok', { withinMs: BACK_MS });
      (times[kind] ??= []).push(performance.now() - began);
      if (memory !== undefined) held.push(memory());
    }
  } finally {
    over.abort();
    await Promise.all(load);
  }
  return { counts, times, samePlace: portOf(forward) === place, memory: held };
}

/** Not from `chance`: how often the load asks depends on time, and a seed shall repeat the cuts. */
function someBytes(): number {
  return randomInt(1, 200_000);
}

/** Cuts the wire; now and then the login that follows as well. */
function harm({ relay }: SupervisedSshd, chance: () => number): string {
  const [choice, again, bytes, lose] = [chance(), chance(), Math.floor(chance() * 6000), Math.floor(chance() * 100)];
  if (again < 0.2) {
    relay.at({ direction: 'toClient', bytes }, (wire) => {
      relay.forget();
      wire.cut({ how: again < 0.1 ? 'rst' : 'fin' });
    });
  }
  if (choice < 0.1) relay.stall();
  else if (choice < 0.15) relay.stall('toClient');
  else if (choice < 0.2) relay.stall('toServer');
  else relay.cut({ how: choice < 0.6 ? 'rst' : 'fin', lose });
  return `${choice < 0.2 ? 'silence' : 'cut'}${again < 0.2 ? ' and a broken login' : ''}`;
}

async function direct(connection: SupervisedConnection, port: number, bytes: number): Promise<string> {
  return await ended(async () => echoed(await connection.openDirectTcpip({ host: '127.0.0.1', port }), bytes));
}

async function remote(forward: RemoteListener, bytes: number): Promise<string> {
  return await ended(async () =>
    echoed(dial({ host: '127.0.0.1', port: portOf(forward), allowHalfOpen: true }), bytes),
  );
}

async function command(connection: SupervisedConnection, bytes: number): Promise<string> {
  return await ended(async () => {
    const channel = await connection.openSession({ kind: 'exec', command: 'exec cat' });
    channel.stderr.on('error', () => undefined).resume();
    const exit = channel.exit.catch((error: unknown) => error);
    const outcome = await echoed(channel, bytes);
    await exit;
    return outcome;
  });
}

/** A dead session of ours may take a connection on the far end, and never answer it. */
async function echoed(stream: Duplex, bytes: number): Promise<string> {
  let given = false;
  const timer = setTimeout(() => {
    given = true;
    stream.destroy();
  }, ANSWER_MS);
  try {
    stream.end(Buffer.alloc(bytes, 'x'));
    let came = 0;
    for await (const chunk of stream) came += (chunk as Buffer).length;
    return came === bytes ? 'ok' : 'cut short';
  } catch (error) {
    if (given) return 'no answer';
    throw error;
  } finally {
    clearTimeout(timer);
  }
}

async function ended(work: () => Promise<string>): Promise<string> {
  try {
    return await work();
  } catch (error) {
    if (isViasshError(error)) return error.code;
    return (error as NodeJS.ErrnoException).code ?? String(error);
  }
}

function portOf({ address }: RemoteListener): number {
  return address.kind === 'tcpip' ? address.port : 0;
}

async function startEcho(): Promise<AsyncDisposable & { readonly port: number }> {
  const server: Server = createServer({ allowHalfOpen: true }, (socket) => {
    socket.on('error', () => undefined);
    socket.pipe(socket);
  });
  await once(server.listen(0, '127.0.0.1'), 'listening');
  return {
    port: (server.address() as AddressInfo).port,
    async [Symbol.asyncDispose]() {
      await once(server.close(), 'close');
    },
  };
}
