import { isViasshError } from '@viassh/core';
import t from 'tap';
import { parseAuthority } from '../src/authority/parse-authority.ts';
import { parseDisplay } from '../src/display/parse-display.ts';
import { XMessages } from '../src/security/x-messages.ts';
import { readClientSetup, writeClientSetup } from '../src/setup/client-setup.ts';
import { readServerAnswer, writeRefusal } from '../src/setup/server-answer.ts';
import { randomFrom } from './random-from.ts';

const ROUNDS = 100_000;
const seed = Number(process.env['FUZZ_SEED'] ?? Date.now() % 2 ** 31);
const random = randomFrom(seed);
const cookie = Buffer.from('00112233445566778899aabbccddeeff', 'hex');
t.comment(`FUZZ_SEED=${seed}`);

/** A few bytes of `base` are others, and it ends anywhere, or a little later. */
function damaged(base: Buffer): Buffer {
  const bytes = Buffer.concat([base, Buffer.alloc(random(9), random(256))]);
  for (let changes = random(6); changes > 0; changes -= 1) bytes[random(bytes.length)] = random(256);
  return random(3) === 0 ? bytes.subarray(0, random(bytes.length + 1)) : bytes;
}

t.test('no first packet gets in without the cookie, or makes us wait for more than it is long', async (t) => {
  const [little, big] = [true, false].map((littleEndian) =>
    writeClientSetup({ littleEndian, major: 11, minor: 0 }, cookie),
  ) as [Buffer, Buffer];
  let admitted = 0;
  for (let round = 0; round < ROUNDS; round += 1) {
    const bytes = damaged(random(2) === 0 ? little : big);
    const reading = readClientSetup(bytes, cookie);
    if (reading.kind === 'more' && bytes.length >= 48) t.fail(`waits for more than 48 bytes: ${bytes.toString('hex')}`);
    if (reading.kind !== 'setup') continue;
    admitted += 1;
    if (bytes.indexOf(cookie) !== 32) t.fail(`let in without the cookie: ${bytes.toString('hex')}`);
  }
  t.ok(admitted > 100, 'some were whole');
  t.ok(admitted < ROUNDS / 2, 'most were not');
});

t.test(
  'no answer of an X server, and no stream of its messages, throws what is not said, or grows without end',
  async (t) => {
    const refusal = writeRefusal({ littleEndian: true, major: 11, minor: 0 }, 'no');
    const reply = Buffer.alloc(48);
    reply[0] = 1;
    reply[4] = 4;
    let [whole, long] = [0, 0];
    for (let round = 0; round < ROUNDS; round += 1) {
      const answer = readServerAnswer(damaged(refusal), random(2) === 0);
      if (answer.kind === 'failed' && answer.reason.length > 255) t.fail('a reason of more than 255 bytes');
      try {
        whole += new XMessages().take(damaged(reply)).length;
      } catch (error) {
        long += 1;
        if (!/^a message of \d+ bytes$/.test((error as Error).message)) t.fail(String(error));
      }
    }
    t.ok(whole > 100);
    t.ok(long > 100);
  },
);

t.test('no Xauthority file and no DISPLAY is more than refused', async (t) => {
  const name = Buffer.from('MIT-MAGIC-COOKIE-1').toString('hex');
  const entry = Buffer.from(`010000027a7a0001300012${name}0010${cookie.toString('hex')}`, 'hex');
  const alphabet = ':./[]unixtcp019a\0\n ';
  let [entries, displays] = [0, 0];
  for (let round = 0; round < ROUNDS; round += 1) {
    entries += parseAuthority(damaged(entry)).length;
    const text = Array.from({ length: random(12) }, () => alphabet[random(alphabet.length)]).join('');
    try {
      const { number, screen } = parseDisplay(text);
      displays += 1;
      if (!(number >= 0 && number <= 59_535 && screen >= 0 && screen <= 255)) t.fail(JSON.stringify(text));
    } catch (error) {
      if (!isViasshError(error, 'DISPLAY_UNUSABLE')) t.fail(`${JSON.stringify(text)}: ${String(error)}`);
    }
  }
  t.ok(entries > 100);
  t.ok(displays > 100);
});
