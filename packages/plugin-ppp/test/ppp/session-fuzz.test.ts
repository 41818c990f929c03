import process from 'node:process';
import t from 'tap';
import { fuzzSession } from '../fuzz/fuzz-session.ts';

const inputs = Number(process.env['VIASSH_FUZZ_INPUTS'] ?? 100_000);
const seed = Number(process.env['VIASSH_TEST_SEED'] ?? Math.floor(Math.random() * 2 ** 31));

t.test(`${inputs} packets of a peer that makes them up: every session ends, and leaves no timer`, async (t) => {
  t.comment(`VIASSH_TEST_SEED=${seed}`);
  const { answers, mostTimers } = await fuzzSession(seed, inputs);
  t.ok(answers < 2 * inputs, `${answers} answers`);
  t.ok(mostTimers < 10, `${mostTimers} timers at the same time`);
});
