import t from 'tap';
import { fuzzFrames } from '../../plugin-ppp/test/fuzz/fuzz-frames.ts';
import { fuzzFraming } from '../../plugin-ppp/test/fuzz/fuzz-framing.ts';

const INPUTS = 5_000_000;
const MOST_GROWTH = 64 * 1024 * 1024;
const seed = Number(process.env['VIASSH_SOAK_SEED'] ?? Date.now() % 1_000_000);
t.comment(`VIASSH_SOAK_SEED=${seed}`);

for (const [what, fuzz] of [
  ['HDLC frames', fuzzFraming],
  ['frames of our own, and hellos', fuzzFrames],
] as const) {
  void t.test(
    `${INPUTS} broken streams of ${what}: no crash, and no more memory at the end than at the beginning`,
    async (t) => {
      fuzz(seed + 1, 100_000);
      const before = memory();
      t.comment(JSON.stringify(fuzz(seed, INPUTS)));
      const growth = memory() - before;
      t.ok(growth < MOST_GROWTH, `grown by ${(growth / 1024 / 1024).toFixed(1)} MiB`);
    },
  );
}

/** What is held after a collection, bytes. */
function memory(): number {
  globalThis.gc?.();
  const { heapUsed, arrayBuffers } = process.memoryUsage();
  return heapUsed + arrayBuffers;
}
