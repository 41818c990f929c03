import { rename } from 'node:fs/promises';
import { waitUntil, type WireDirection } from '@viassh/testing';
import type { Test } from 'tap';
import { onBothTransports } from './both-transports.ts';
import { cutSessions } from './cut-sessions.ts';
import { type KeptForward, startKeptForward } from './kept-forward.ts';
import { restartSshd } from './restart-sshd.ts';
import { asleepFor } from './kept-asleep.ts';

/** Does harm, waits until all ways carry again, and looks at what was said of it, and at what is left. */
async function survives(t: Test, kept: KeptForward, what: string, harm: () => Promise<number>): Promise<void> {
  const before = await kept.figures();
  const [said, ups] = [kept.events.length, upsOf(kept)];
  const since = await harm();
  const ms = await kept.served(since, ups + 1);
  t.comment(`${what}: all three ways served again after ${ms.toFixed(0)} ms`);
  const told = kept.events.slice(said);
  t.match(told[0], { state: 'waiting', attempt: 1, error: { code: 'CONNECTION_LOST' } }, what);
  t.strictSame(
    told.map(({ state }) => state),
    ['waiting', 'connecting', 'up'],
    what,
  );
  t.match(kept.stderr(), /\(CONNECTION_LOST\); attempt 1 (?:now|in \d+\.\d s)$/m);
  await nothingMore(kept, before, what);
}

async function nothingMore(
  kept: KeptForward,
  before: Awaited<ReturnType<KeptForward['figures']>>,
  what: string,
): Promise<void> {
  let now = before;
  const same = async (): Promise<boolean> => {
    now = await kept.figures();
    return now.descriptors <= before.descriptors && now.children <= before.children && now.sshds <= before.sshds;
  };
  await waitUntil('nothing more to be there', same, { withinMs: 10_000, everyMs: 100 }).catch((error: unknown) => {
    throw new Error(`${what}: ${JSON.stringify(before)} became ${JSON.stringify(now)}; ${kept.stderr()}`, {
      cause: error,
    });
  });
}

function upsOf({ events }: KeptForward): number {
  return events.filter(({ state }) => state === 'up').length;
}

async function ends(t: Test, kept: KeptForward): Promise<void> {
  kept.kill('SIGTERM');
  t.strictSame(await kept.exit, { code: 143, signal: null });
}

onBothTransports(
  'the session at the server is killed, the wire is reset: -L, -D and -R serve again',
  async (t, transport) => {
    await using kept = await startKeptForward(transport);
    await survives(t, kept, `${transport}: session killed`, async () => {
      const since = performance.now();
      t.ok((await cutSessions(kept.sshd)) > 0);
      return since;
    });
    await survives(t, kept, `${transport}: reset`, async () => {
      kept.relay.cut({ how: 'rst' });
      return performance.now();
    });
    await ends(t, kept);
  },
);

const silences: readonly (readonly WireDirection[])[] = [[], ['toServer'], ['toClient']];

onBothTransports('the wire goes dead, awake or asleep: -L, -D and -R serve again', async (t, transport) => {
  const dead = silences.map(async (directions) => {
    await using kept = await startKeptForward(transport, {
      options: ['ServerAliveInterval=1', 'ServerAliveCountMax=2'],
    });
    await survives(t, kept, `${transport}: silence ${directions.join() || 'both ways'}, 1 s x 2`, async () => {
      kept.relay.stall(...directions);
      return performance.now();
    });
    await ends(t, kept);
  });
  const asleep = (['silent', 'reset'] as const).map(async (how) => {
    await using kept = await startKeptForward(transport, { options: ['ServerAliveInterval=0'] });
    await survives(t, kept, `${transport}: asleep for 3 s, and the wire ${how}`, () => asleepFor(kept, 3000, how));
    await ends(t, kept);
  });
  await Promise.all([...dead, ...asleep]);
});

onBothTransports(
  'the server restarts, refuses for seconds, and comes back with another host key: served, served, and ended',
  async (t, transport) => {
    await using kept = await startKeptForward(transport, { direct: true });
    const { sshd, events } = kept;
    const before = await kept.figures();
    await sshd.kill();
    await restartSshd(sshd);
    const ms = await kept.served(performance.now(), 1);
    t.comment(`${transport}: sshd restarted: served again after ${ms.toFixed(0)} ms`);
    t.match(events[0], { state: 'waiting', error: { code: 'CONNECTION_LOST' } });
    const said = events.length;
    await sshd.kill();
    const refused = (): boolean =>
      events.slice(said).filter(({ error }) => error?.code === 'CONNECTION_REFUSED').length > 1;
    await waitUntil('two refusals', refused, { withinMs: 20_000 });
    await restartSshd(sshd);
    kept.kill('SIGUSR1'); // the waits may have become long ones
    const back = await kept.served(performance.now(), 2);
    t.comment(`${transport}: back after it refused, and told so: served again after ${back.toFixed(0)} ms`);
    const told = events.slice(said);
    const codes = told.flatMap(({ error }) => error?.code ?? []);
    t.strictSame([codes[0], [...new Set(codes.slice(1))]], ['CONNECTION_LOST', ['CONNECTION_REFUSED']]);
    t.strictSame(
      told.map(({ state }) => state),
      [...codes.flatMap(() => ['waiting', 'connecting']), 'up'],
    );
    t.strictSame(
      told.flatMap(({ state, attempt }) => (state === 'waiting' ? [attempt] : [])),
      codes.map((_, index) => index + 1),
      'attempts are counted',
    );
    await nothingMore(kept, before, `${transport}: restarted`);
    await sshd.kill();
    const { file } = await sshd.generateKey();
    await rename(file, sshd.hostKeyFiles[0] ?? '');
    await restartSshd(sshd);
    kept.kill('SIGUSR1');
    t.strictSame(await kept.exit, { code: 255, signal: null });
    t.match(events.at(-1), { state: 'stopped', error: { code: 'HOST_KEY_CHANGED' } });
    t.match(kept.stderr(), /"code":"HOST_KEY_CHANGED"/);
    await t.rejects(kept.served(performance.now(), 3, 100), 'nobody serves any more');
  },
);
