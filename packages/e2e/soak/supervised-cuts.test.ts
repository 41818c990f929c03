import { randomInt } from 'node:crypto';
import { onBothTransports } from '../test/both-transports.ts';
import { allowedOutcomes, manyCuts } from '../test/supervised-cuts.ts';
import { memory, seeded } from './soak-bench.ts';

const seed = Number(process.env['VIASSH_SOAK_SEED'] ?? randomInt(2 ** 31));
/** On each transport. */
const cuts = Number(process.env['VIASSH_SOAK_CUTS'] ?? 250);

onBothTransports('hundreds of random cuts under mixed load: back each time, nothing leaked', async (t, transport) => {
  t.comment(`VIASSH_SOAK_SEED=${seed}`);
  const { counts, times, samePlace, memory: held } = await manyCuts(transport, { cuts, chance: seeded(seed), memory });
  for (const [kind, all] of Object.entries(times))
    t.comment(`${transport}: service after ${kind}: ${describe(all)} ms`);
  t.comment(`${transport}: load: ${JSON.stringify(counts)}`);
  t.strictSame(
    Object.keys(counts).filter((outcome) => !allowedOutcomes.includes(outcome)),
    [],
  );
  t.ok(samePlace, 'the remote forward has its port');
  // Under load: the least of many is what is held on to.
  const [early, late] = [held.slice(cuts / 5, (2 * cuts) / 5), held.slice(-cuts / 5)].map((some) => Math.min(...some));
  t.comment(`${transport}: memory ${early?.toFixed(1)} MiB, in the end ${late?.toFixed(1)} MiB`);
  t.ok((late ?? 0) < (early ?? 0) * 1.1, 'memory does not grow');
});

function describe(all: readonly number[]): string {
  return `median ${median(all).toFixed(0)}, longest ${Math.max(...all).toFixed(0)} of ${all.length}`;
}

function median(all: readonly number[]): number {
  return all.toSorted((a, b) => a - b)[Math.floor(all.length / 2)] ?? 0;
}
