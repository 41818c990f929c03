import { createHash, randomBytes } from 'node:crypto';
import { once } from 'node:events';
import { connect, type Socket } from 'node:net';
import type { Test } from 'tap';
import { type Sshd, startSshd, waitUntil } from '@viassh/testing';
import { seeded } from '../soak/soak-bench.ts';
import { portOf, type RunningForward, say, startForward } from './forwarding.ts';
import { descriptorsOf, memoryOf } from './process-figures.ts';
import { startTarget, type Target } from './start-target.ts';

const AT_ONCE = 40;
const MOST_BYTES = 300_000;
const HANGS_MS = 60_000;
/** What was freed stays with the process in pieces, and comes and goes by so much. */
const MOST_MORE_MIB = 40;
/** Has the program collect its garbage at a SIGUSR2. */
const collects = ['--expose-gc', '--import', `data:text/javascript,process.on('SIGUSR2',()=>gc())`];

/** For how long, and what repeats it. */
export interface TrafficOptions {
  readonly ms: number;
  readonly seed: number;
}

interface Bench {
  readonly target: Target;
  readonly chance: () => number;
  /** Ports of -L, -D and -R, and of a -L that leads to nobody. */
  readonly local: number;
  readonly socks: number;
  readonly remote: number;
  readonly nowhere: number;
}

/**
 * Mixed traffic through one `viassh forward`, with clients that die in every way at every moment: what is whole comes
 * back as it went, and descriptors, memory, channels and the far end's connections are in the end what they were.
 */
export async function mixedTraffic(t: Test, transport: string, { ms, seed }: TrafficOptions): Promise<void> {
  await using stack = new AsyncDisposableStack();
  const sshd = stack.use(await startSshd({ mode: 'listen', config: ['LogLevel INFO'] }));
  const target = stack.use(await startTarget());
  const to = `127.0.0.1:${target.port}`;
  const args = ['-L', `0:${to}`, '-L', '0:127.0.0.1:1', '-D', '0', '-R', `0:${to}`];
  const forward = stack.use(
    await startForward(sshd, transport, args, { count: 4, nodeArgs: ['--max-semi-space-size=1', ...collects] }),
  );
  const [local = 0, nowhere = 0, socks = 0, remote = 0] = forward.places.map(portOf);
  const bench = { target, chance: seeded(seed), local, socks, remote, nowhere };
  const counts = new Map<string, number>();
  // At once: what is opened for many stays.
  await Promise.all(Array.from({ length: 50 }, () => say({ host: '127.0.0.1', port: local }, 'warm')));
  await waitUntil('the first to be gone', async () => (await target.open()) === 0);
  const descriptors = await figures(sshd, forward);
  await traffic(bench, counts, Math.min(ms / 4, 20_000));
  await atRest(bench, sshd, forward, descriptors);
  forward.kill('SIGUSR2');
  const memory = await memoryOf(forward.pid);
  counts.clear();
  await traffic(bench, counts, ms);
  await atRest(bench, sshd, forward, descriptors);
  let more = Number.POSITIVE_INFINITY;
  await waitUntil('memory to be what it was', async () => {
    forward.kill('SIGUSR2');
    more = ((await memoryOf(forward.pid)) - memory) / 1024 ** 2;
    return more < MOST_MORE_MIB;
  }).catch(() => undefined); // said below
  const said = [...counts]
    .slice(0, 30)
    .map(([kind, count]) => `${kind} ${count}`)
    .join(', ');
  t.comment(
    `${transport}: ${said}; descriptors ${descriptors.here} here and ${descriptors.there} there, as before; memory ${(memory / 1024 ** 2).toFixed(1)} MiB and ${more.toFixed(1)} more`,
  );
  t.ok(more < MOST_MORE_MIB, `${more.toFixed(1)} MiB more`);
  t.strictSame([...counts.keys()].filter((kind) => kind.startsWith('wrong')).slice(0, 20), [], said);
  for (const [kind] of ways) t.ok((counts.get(kind) ?? 0) > 0, `${kind} was met`);
  forward.kill('SIGTERM');
  t.strictSame(await forward.exit, { code: 143, signal: null });
}

async function figures(
  sshd: Sshd,
  forward: RunningForward,
): Promise<{ readonly here: number; readonly there: number }> {
  const there = await Promise.all((await sshd.processes()).map((pid) => descriptorsOf(pid).catch(() => 0)));
  return { here: await descriptorsOf(forward.pid), there: there.reduce((sum, count) => sum + count, 0) };
}

async function atRest(
  { target }: Bench,
  sshd: Sshd,
  forward: RunningForward,
  before: Awaited<ReturnType<typeof figures>>,
): Promise<void> {
  const same = async (): Promise<boolean> => {
    const now = await figures(sshd, forward);
    return (await target.open()) === 0 && now.here <= before.here && now.there <= before.there;
  };
  await waitUntil('connections and descriptors to be what they were', same, { withinMs: 30_000, everyMs: 200 }).catch(
    async (error: unknown) => {
      const now = { open: await target.open(), ...(await figures(sshd, forward)) };
      throw new Error(
        `${String(error)}: ${JSON.stringify(now)} instead of ${JSON.stringify(before)}; ${forward.stderr().slice(-2000)}`,
      );
    },
  );
}

async function traffic(bench: Bench, counts: Map<string, number>, ms: number): Promise<void> {
  const end = performance.now() + ms;
  const client = async (): Promise<void> => {
    while (performance.now() < end) {
      const result = await inTime(one(bench));
      counts.set(result, (counts.get(result) ?? 0) + 1);
    }
  };
  await Promise.all(Array.from({ length: AT_ONCE }, client));
}

/** What clients do, how often, and how. Each gives undefined, or what was wrong. */
const ways: readonly (readonly [kind: string, share: number, (bench: Bench) => Promise<string | undefined>])[] = [
  ['whole through -L', 0.3, async (bench) => await whole(await dial(bench.local), bench)],
  ['whole through -R', 0.2, async (bench) => await whole(await dial(bench.remote), bench)],
  ['whole through -D', 0.2, async (bench) => await whole(await socksTo(bench, bench.target.port), bench)],
  ['died in the open', 0.07, async (bench) => die(await dial(anyOf(bench)), bench)],
  ['died in the middle', 0.1, async (bench) => await dieInTheMiddle(await dial(anyOf(bench)), bench)],
  ['died in SOCKS', 0.03, async (bench) => await dieInSocks(await dial(bench.socks), bench)],
  ['died without reading', 0.05, async (bench) => await dieUnread(await dial(anyOf(bench)), bench)],
  ['a target that refuses', 0.02, async (bench) => await unanswered(await dial(bench.nowhere))],
  [
    'no SOCKS at all',
    0.03,
    async (bench) => await unanswered((await dial(bench.socks)).resume(), 'GET / HTTP/1.1\r\n\r\n'),
  ],
];

async function one(bench: Bench): Promise<string> {
  let choice = bench.chance();
  const [kind, , run] = ways.find(([, share]) => (choice -= share) < 0) ?? ways[0] ?? [];
  if (kind === undefined || run === undefined) throw new Error('no way');
  const wrong = await run(bench).catch((error: unknown) => String(error));
  return wrong === undefined ? kind : `wrong: ${kind}: ${wrong}`;
}

function anyOf({ local, remote, chance }: Bench): number {
  return chance() < 0.5 ? local : remote;
}

async function dial(port: number): Promise<Socket> {
  const socket = connect({ host: '127.0.0.1', port, allowHalfOpen: true });
  await once(socket, 'connect');
  return socket.on('error', () => undefined);
}

async function whole(socket: Socket, { chance }: Bench): Promise<string | undefined> {
  const data = randomBytes(Math.ceil(chance() ** 3 * MOST_BYTES));
  if (chance() < 0.5) socket.end(data);
  else {
    socket.write(data);
    socket.end();
  }
  const hash = createHash('sha256');
  let came = 0;
  for await (const chunk of socket) {
    came += (chunk as Buffer).length;
    hash.update(chunk as Buffer);
  }
  const same = hash.digest('hex') === createHash('sha256').update(data).digest('hex');
  return same ? undefined : `${came} of ${data.length} bytes`;
}

/** Through -D, with a name that the far end resolves, or an address. */
async function socksTo({ socks, chance }: Bench, port: number): Promise<Socket> {
  const socket = await dial(socks);
  const name = Buffer.from('localhost');
  const host = chance() < 0.5 ? [1, 127, 0, 0, 1] : [3, name.length, ...name];
  socket.write(Buffer.from([5, 1, 0]));
  await expect(socket, 2);
  socket.write(Buffer.from([5, 1, 0, ...host, port >> 8, port & 255]));
  const [, reply] = await expect(socket, 4);
  if (reply !== 0) throw new Error(`SOCKS says ${reply}`);
  await expect(socket, 6);
  return socket;
}

async function expect(socket: Socket, length: number): Promise<Buffer> {
  for (;;) {
    const bytes = socket.read(length) as Buffer | null;
    if (bytes !== null && bytes.length === length) return bytes;
    if (socket.readableEnded || socket.destroyed) throw new Error('it ended in the handshake');
    await Promise.race([once(socket, 'readable'), once(socket, 'end'), once(socket, 'close')]);
  }
}

async function die(socket: Socket, { chance }: Bench): Promise<undefined> {
  if (chance() < 0.5) socket.resetAndDestroy();
  else socket.destroy();
  await closed(socket);
}

async function dieInTheMiddle(socket: Socket, bench: Bench): Promise<undefined> {
  socket.write(randomBytes(Math.ceil(bench.chance() * MOST_BYTES)));
  if (bench.chance() < 0.3) socket.end();
  await Promise.race([once(socket, 'data'), closed(socket)]);
  return await die(socket, bench);
}

async function dieInSocks(socket: Socket, bench: Bench): Promise<undefined> {
  const greeting = Buffer.from([5, 1, 0, 5, 1, 0, 3, 9, 108]);
  await new Promise((resolve) => socket.write(greeting.subarray(0, Math.ceil(bench.chance() * 9)), resolve));
  return await die(socket, bench);
}

async function dieUnread(socket: Socket, bench: Bench): Promise<undefined> {
  await new Promise((resolve) => socket.write(randomBytes(MOST_BYTES), resolve));
  return await die(socket, bench);
}

async function unanswered(socket: Socket, text = 'anybody?'): Promise<undefined> {
  socket.resume().end(text);
  await closed(socket);
}

async function closed(socket: Socket): Promise<void> {
  if (!socket.closed) await new Promise((resolve) => socket.once('close', resolve));
}

async function inTime<T>(work: Promise<T>): Promise<T> {
  let timer: NodeJS.Timeout | undefined;
  const hangs = new Promise<never>((_, reject) => {
    timer = setTimeout(() => reject(new Error('a client hangs')), HANGS_MS);
  });
  try {
    return await Promise.race([work, hangs]);
  } finally {
    clearTimeout(timer);
  }
}
