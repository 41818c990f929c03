import { createHash, randomBytes } from 'node:crypto';
import type { Readable } from 'node:stream';
import { codeOf, collect, digestOf } from '../compliance/collect.ts';
import type { FaultArea, FaultCase } from './fault-case.ts';
import type { WireConditions } from './wire-conditions.ts';

const wires: readonly (readonly [string, WireConditions, number])[] = [
  ['a long way (100 ms round trip)', { delayMs: 50 }, 2_000_000],
  ['small packets (61 bytes)', { maxChunk: 61 }, 100_000],
  ['a trickle (700 bytes a tick)', { trickle: { bytes: 700, everyMs: 1 } }, 100_000],
];

/** Wires that are slow or cut things small: everything still arrives. */
export const badWireArea: FaultArea = {
  name: 'bad wire',
  cases: wires.map(
    ([name, conditions, bytes]): FaultCase => ({
      name: `${name}: login, a refusal, and all bytes there and back`,
      run: async (t, { relay, connect }) => {
        const own = await relay(conditions);
        const connection = await connect(own);
        const channel = await connection.openSession({ kind: 'exec', command: 'tee /dev/stderr; exit 3' });
        const data = randomBytes(bytes);
        const expected = { bytes, sha256: createHash('sha256').update(data).digest('hex') };
        channel.end(data);
        const streams: Readable[] = [channel, channel.stderr];
        t.strictSame(await Promise.all(streams.map(digestOf)), [expected, expected]);
        t.strictSame(await channel.exit, { kind: 'status', code: 3 });
        t.equal(await codeOf(connection.openDirectStreamlocal('/nowhere')), 'CHANNEL_REFUSED');
        t.equal((await collect(await connection.openSession({ kind: 'exec', command: 'echo on' }))).stdout, 'on\n');
      },
    }),
  ),
};
