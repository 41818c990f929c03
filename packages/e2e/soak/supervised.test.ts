import { randomInt } from 'node:crypto';
import process from 'node:process';
import { setTimeout as delay } from 'node:timers/promises';
import type { WireDirection } from '@viassh/testing';
import type { Test } from 'tap';
import { tidyTest } from '../test/both-transports.ts';
import { asleepFor } from '../test/kept-asleep.ts';
import { type KeptForward, startKeptForward } from '../test/kept-forward.ts';
import { restartSshd } from '../test/restart-sshd.ts';
import { transports } from '../test/run-viassh.ts';
import { type AtRest, cutClients, randomCuts } from './random-cuts.ts';
import { seeded } from './soak-bench.ts';

const seed = Number(process.env['VIASSH_SOAK_SEED'] ?? randomInt(2 ** 31));
/** Of both transports together. */
const cuts = Number(process.env['VIASSH_SOAK_CUTS'] ?? 500);
/** The long waits are so many times as long. */
const share = Math.min(1, Math.max(0.07, cuts / 500)); // shorter is no sleep to notice

type LongFault = (t: Test, transport: string) => Promise<void>;

/** The waits between attempts go up to a minute. */
const BACK_MS = 120_000;

const served = async (t: Test, kept: KeptForward, what: string, since: number): Promise<void> => {
  const ms = await kept.served(since, kept.events.filter(({ state }) => state === 'up').length + 1, BACK_MS);
  t.comment(`${what}: all three ways served again after ${ms.toFixed(0)} ms`);
  t.comment(
    `${what}: ${kept.events.map((event) => [event.state, event.error?.code].filter(Boolean).join(' ')).join(', ')}`,
  );
};

const asleep: LongFault = async (t, transport) => {
  await using kept = await startKeptForward(transport, { options: ['ServerAliveInterval=0'] });
  const ms = 60_000 * share;
  const woke = await asleepFor(kept, ms, 'silent');
  await served(t, kept, `${transport}: asleep for ${ms / 1000} s, the wire silent`, woke);
  t.match(kept.events[0], { state: 'waiting', error: { code: 'CONNECTION_LOST' } });
};

const refused: LongFault = async (t, transport) => {
  await using kept = await startKeptForward(transport, { direct: true });
  const ms = 300_000 * share;
  await kept.sshd.kill();
  await delay(ms); // what passes is what is tested
  const codes = kept.events.flatMap(({ error }) => error?.code ?? []);
  t.strictSame([...new Set(codes)], ['CONNECTION_LOST', 'CONNECTION_REFUSED']);
  await restartSshd(kept.sshd);
  await served(t, kept, `${transport}: refused for ${ms / 1000} s`, performance.now());
};

const silent =
  (...directions: readonly WireDirection[]): LongFault =>
  async (t, transport) => {
    const options = ['ServerAliveInterval=5', 'ServerAliveCountMax=3'];
    await using kept = await startKeptForward(transport, { options });
    kept.relay.stall(...directions);
    await served(t, kept, `${transport}: silence ${directions.join() || 'both ways'}, 5 s x 3`, performance.now());
  };

tidyTest(`asleep for ${60 * share} s, refused for ${300 * share} s, silence: all three ways serve again`, async (t) => {
  const faults = [asleep, refused, silent(), silent('toServer'), silent('toClient')];
  await Promise.all(transports.flatMap((transport) => faults.map((fault) => fault(t, transport))));
});

tidyTest(`${cuts} random cuts under mixed load: all three ways serve again, nothing is left`, async (t) => {
  t.comment(`VIASSH_SOAK_SEED=${seed}`);
  await Promise.all(
    transports.map(async (transport, index) => {
      const report = await randomCuts(transport, {
        cuts: Math.ceil(cuts / transports.length),
        chance: seeded(seed + index),
      });
      for (const [kind, all] of report.times) t.comment(`${transport}: service after ${kind}: ${describe(all)}`);
      t.comment(
        `${transport}: clients: ${[...report.clients].map(([outcome, count]) => `${outcome} ${count}`).join(', ')}`,
      );
      t.ok((report.clients.get('whole') ?? 0) > cuts);
      const others = [...report.clients.keys()].filter((outcome) => !cutClients.has(outcome));
      t.strictSame(others, [], 'clients are served whole, or cut off');
      const { rests } = report;
      const [first, last] = [rests.at(0), rests.at(-1)] as [AtRest, AtRest];
      for (const [when, figures] of Object.entries({ first, last }))
        t.comment(`${transport}: at rest, ${when}: ${shown(figures)}`);
      for (const what of ['descriptors', 'children', 'sshds', 'connections'] as const)
        t.ok(last[what] <= first[what] * 1.1, `${transport}: ${what}: ${first[what]}, in the end ${last[what]}`);
      const memory = rests.map(({ mebibytes }) => mebibytes);
      t.comment(`${transport}: MiB after each tenth: ${memory.map((each) => each.toFixed(1)).join(' ')}`);
      const [early, late] = [Math.min(...memory.slice(2, 5)), Math.min(...memory.slice(-3))];
      t.ok(late <= early * 1.1, `${transport}: memory: ${early.toFixed(1)} MiB, in the end ${late.toFixed(1)} MiB`);
    }),
  );
});

function describe(all: readonly number[]): string {
  const sorted = all.toSorted((a, b) => a - b);
  const median = sorted[Math.floor(sorted.length / 2)] ?? 0;
  return `median ${median.toFixed(0)} ms, worst ${(sorted.at(-1) ?? 0).toFixed(0)} ms, of ${all.length}`;
}

function shown({ descriptors, children, sshds, connections, mebibytes }: AtRest): string {
  return `${descriptors} descriptors, ${children} children, ${sshds} sshds, ${connections} connections, ${mebibytes.toFixed(1)} MiB`;
}
