import { createCipheriv, createHash, randomInt } from 'node:crypto';
import { startFaultyRelay, startSshd } from '@viassh/testing';
import { onBothTransports } from '../test/both-transports.ts';
import { connectTo, seeded } from './soak-bench.ts';

const BYTES = 1024 ** 3;
const STALLS = 40;
const seed = Number(process.env['VIASSH_SOAK_SEED'] ?? randomInt(2 ** 31));

onBothTransports(`1 GiB over a wire that stalls ${STALLS} times: every byte arrives`, async (t, transport) => {
  t.comment(`VIASSH_SOAK_SEED=${seed}`);
  const chance = seeded(seed);
  await using sshd = await startSshd({ mode: 'listen' });
  await using relay = await startFaultyRelay({ to: sshd.port });
  await using connection = await connectTo(sshd, transport, relay.port, 'ServerAliveInterval=60');
  const timers = new Set<NodeJS.Timeout>();
  let stalls = 0;
  for (let stall = 0; stall < STALLS; stall += 1) {
    relay.at({ direction: 'toClient', bytes: Math.floor(chance() * BYTES) }, (wire) => {
      stalls += 1;
      wire.stall(...(chance() < 0.5 ? (['toClient'] as const) : []));
      timers.add(setTimeout(() => wire.resume(), chance() * 300));
    });
  }
  // A stream that never repeats itself, made the same way on both ends.
  const key = '000102030405060708090a0b0c0d0e0f';
  const channel = await connection.openSession({
    kind: 'exec',
    command: `head -c ${BYTES} /dev/zero | openssl enc -aes-128-ctr -nosalt -K ${key} -iv ${key}`,
  });
  channel.stderr.resume();
  const hash = createHash('sha256');
  let bytes = 0;
  for await (const chunk of channel) {
    bytes += (chunk as Buffer).length;
    hash.update(chunk as Buffer);
  }
  for (const timer of timers) clearTimeout(timer);
  t.strictSame(await channel.exit, { kind: 'status', code: 0 });
  t.equal(bytes, BYTES);
  t.equal(hash.digest('hex'), expected(key));
  t.ok(stalls > STALLS / 2, `${stalls} stalls`);
});

function expected(key: string): string {
  const cipher = createCipheriv('aes-128-ctr', Buffer.from(key, 'hex'), Buffer.from(key, 'hex'));
  const hash = createHash('sha256');
  const zeros = Buffer.alloc(1024 ** 2);
  for (let done = 0; done < BYTES; done += zeros.length) hash.update(cipher.update(zeros));
  return hash.digest('hex');
}
