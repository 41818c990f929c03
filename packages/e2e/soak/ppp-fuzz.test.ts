import { setImmediate } from 'node:timers/promises';
import t from 'tap';
import { fuzzFrames } from '../../plugin-ppp/test/fuzz/fuzz-frames.ts';
import { fuzzFraming } from '../../plugin-ppp/test/fuzz/fuzz-framing.ts';
import { fuzzSession } from '../../plugin-ppp/test/fuzz/fuzz-session.ts';

const INPUTS = Number(process.env['VIASSH_FUZZ_INPUTS'] ?? 10_000_000);
const MOST_GROWTH = 64 * 1024 * 1024;
const seed = Number(process.env['VIASSH_SOAK_SEED'] ?? Date.now() % 1_000_000);
t.comment(`VIASSH_SOAK_SEED=${seed}`);

for (const [what, fuzz, inputs] of [
  ['broken streams of HDLC frames', fuzzFraming, INPUTS / 2],
  ['broken streams of frames of our own, and hellos', fuzzFrames, INPUTS / 2],
  ['packets of a PPP peer that makes them up', fuzzSession, INPUTS],
] as const) {
  void t.test(`${inputs} ${what}: no crash, and no more memory at the end than at the beginning`, async (t) => {
    await fuzz(seed + 1, Math.min(inputs, 100_000));
    const before = await memory();
    const began = performance.now();
    const found = await fuzz(seed, inputs);
    t.comment(`${JSON.stringify(found)} in ${Math.round((performance.now() - began) / 1000)} s`);
    const growth = (await memory()) - before;
    t.ok(growth < MOST_GROWTH, `grown by ${(growth / 1024 / 1024).toFixed(1)} MiB`);
  });
}

/** What is held after a collection, bytes. The buffers of dead objects go in a second one. */
async function memory(): Promise<number> {
  for (let round = 0; round < 3; round += 1) {
    globalThis.gc?.();
    await setImmediate();
  }
  const { heapUsed, arrayBuffers } = process.memoryUsage();
  return heapUsed + arrayBuffers;
}
