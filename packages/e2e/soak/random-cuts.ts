import { mkdtemp, readFile, rm } from 'node:fs/promises';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { fileURLToPath } from 'node:url';
import { setTimeout as delay } from 'node:timers/promises';
import { waitUntil } from '@viassh/testing';
import { cutSessions } from '../test/cut-sessions.ts';
import { asleepFor } from '../test/kept-asleep.ts';
import { dial, dialSocks, echoed, type KeptFigures, type KeptForward, startKeptForward } from '../test/kept-forward.ts';

/** What came of many cuts. */
export interface CutsReport {
  /** Milliseconds to service, by what was done. */
  readonly times: ReadonlyMap<string, number[]>;
  /** How often a client of the load ended how. */
  readonly clients: ReadonlyMap<string, number>;
  /** While nobody used it: before the first cut, and after each tenth of them. */
  readonly rests: readonly AtRest[];
}

/** What is held when nothing passes. */
export interface AtRest extends KeptFigures {
  /** At the echo server. */
  readonly connections: number;
  readonly mebibytes: number;
}

/** What may become of a client whose connection is cut. */
export const cutClients: ReadonlySet<string> = new Set(['whole', 'CUT_SHORT', 'ECONNRESET', 'ECONNREFUSED', 'EPIPE']);

const TENTHS = 10;
const CLIENTS = 6;
const HANGS_MS = 90_000;
const BACK_MS = 60_000;
/** What a connection that was up for a while would wait at most after its loss; here they are lost too soon for that. */
const FIRST_WAIT_MS = 1000;

/** Cuts again and again what a `viassh forward` stands on, under mixed load; after each cut all three ways carry again. */
export async function randomCuts(
  transport: string,
  { cuts, chance }: { readonly cuts: number; readonly chance: () => number },
): Promise<CutsReport> {
  const folder = await mkdtemp(join(tmpdir(), 'viassh-cuts-'));
  await using stack = new AsyncDisposableStack();
  stack.defer(() => rm(folder, { recursive: true }));
  const memoryFile = join(folder, 'memory');
  const kept = stack.use(
    await startKeptForward(transport, {
      options: ['ServerAliveInterval=1', 'ServerAliveCountMax=2', 'ConnectTimeout=5'],
      nodeArgs: ['--expose-gc', '--import', fileURLToPath(new URL('../test/tell-memory.mjs', import.meta.url))],
      env: { TELL_MEMORY: memoryFile },
    }),
  );
  const [times, clients] = [new Map<string, number[]>(), new Map<string, number>()];
  const rest = (): Promise<AtRest> => atRest(kept, memoryFile);
  const round = async (count: number): Promise<void> => {
    const over = new AbortController();
    const load = Array.from({ length: CLIENTS }, () => clientsUntil(over.signal, kept, clients));
    try {
      for (let cut = 0; cut < count; cut += 1) {
        await delay(50 + chance() * 250); // a moment of its own for each cut
        const { kind, ms } = await oneCut(kept, chance);
        times.set(kind, [...(times.get(kind) ?? []), ms]);
      }
    } finally {
      over.abort();
      await Promise.all(load);
    }
  };
  const rests = [await rest()];
  for (let tenth = 1; tenth <= TENTHS; tenth += 1) {
    await round(Math.ceil(cuts / TENTHS));
    rests.push(await rest());
  }
  return { times, clients, rests };
}

async function oneCut(
  kept: KeptForward,
  chance: () => number,
): Promise<{ readonly kind: string; readonly ms: number }> {
  const [choice, detail, patience] = [chance(), chance(), chance()];
  const ups = kept.events.filter(({ state }) => state === 'up').length;
  const { kind, since, lost } = await harm(kept, choice, detail);
  const impatience = new AbortController();
  const nudging = lost ? nudge(kept, patience * FIRST_WAIT_MS, impatience.signal) : undefined;
  try {
    return { kind, ms: await kept.served(since, lost ? ups + 1 : ups, BACK_MS) };
  } catch (error) {
    const told = kept.events.slice(-6).map((event) => JSON.stringify(event));
    throw new Error(`after ${kind}: ${told.join('\n')}\n${kept.stderr().slice(-2000)}`, { cause: error });
  } finally {
    impatience.abort();
    await nudging;
  }
}

/** Cuts a long wait short by SIGUSR1: to what is waited after a connection that was up for half a minute. */
async function nudge(kept: KeptForward, ms: number, signal: AbortSignal): Promise<void> {
  while (!signal.aborted) {
    const event = kept.events.at(-1);
    const waits = event?.state === 'waiting' && (event.nextRetry ?? 0) - event.since > ms;
    if (waits && Date.now() - event.since >= ms) kept.kill('SIGUSR1');
    await delay(20, undefined, { signal }).catch(() => undefined);
  }
}

async function harm(
  kept: KeptForward,
  choice: number,
  detail: number,
): Promise<{ readonly kind: string; readonly since: number; readonly lost: boolean }> {
  const { relay, sshd } = kept;
  if (choice < 0.4) {
    relay.cut({ how: 'rst', lose: Math.floor(detail * 1000) });
    return { kind: 'reset', since: performance.now(), lost: true };
  }
  if (choice < 0.7) {
    const since = performance.now();
    if ((await cutSessions(sshd)) === 0) throw new Error('no session to kill');
    return { kind: 'session killed', since, lost: true };
  }
  if (choice < 0.85) {
    relay.stall(...(detail < 0.6 ? [] : detail < 0.8 ? (['toServer'] as const) : (['toClient'] as const)));
    return { kind: 'silence (1 s x 2)', since: performance.now(), lost: true };
  }
  const asleepMs = 200 + detail * 800;
  if (choice < 0.93) return { kind: 'freeze', since: await asleepFor(kept, asleepMs, 'whole'), lost: false };
  return { kind: 'freeze and reset', since: await asleepFor(kept, asleepMs, 'reset'), lost: true };
}

async function clientsUntil(signal: AbortSignal, kept: KeptForward, counts: Map<string, number>): Promise<void> {
  const { ports, target } = kept;
  const ways = [() => dial(ports.local), () => dial(ports.remote), () => dialSocks(ports.socks, target.port)];
  while (!signal.aborted) {
    const way = ways[Math.floor(Math.random() * ways.length)] ?? (() => dial(ports.local)); // not of the seed: it depends on time
    const outcome = await outcomeOf(way().then((socket) => echoed(socket, Math.ceil(Math.random() ** 3 * 200_000))));
    counts.set(outcome, (counts.get(outcome) ?? 0) + 1);
    await delay(outcome === 'whole' ? 10 : 50);
  }
}

async function outcomeOf(work: Promise<void>): Promise<string> {
  const timer = new AbortController();
  const hangs = delay(HANGS_MS, 'hangs', { signal: timer.signal }).catch(() => 'hangs');
  const ended = work.then(
    () => 'whole',
    (error: unknown) => (error as NodeJS.ErrnoException).code ?? String(error),
  );
  const outcome = await Promise.race([ended, hangs]);
  timer.abort();
  return outcome;
}

async function atRest(kept: KeptForward, memoryFile: string): Promise<AtRest> {
  await waitUntil('the clients to be gone', async () => (await kept.target.open()) === 0, {
    withinMs: 30_000,
    everyMs: 200,
  });
  const told = async (): Promise<string[]> =>
    (await readFile(memoryFile, 'utf8').catch(() => '')).split('\n').slice(0, -1);
  const figures = await kept.figures();
  const before = (await told()).length;
  kept.kill('SIGPWR');
  const lines = await waitUntil('the memory', async () => {
    const now = await told();
    return now.length > before && now;
  });
  return { ...figures, connections: await kept.target.open(), mebibytes: Number(lines.at(-1)) / 1024 ** 2 };
}
