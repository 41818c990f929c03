import type { Connection, SessionChannel } from '@viassh/core';
import { closeOf, codeOf, collect, readUntil } from '../compliance/collect.ts';
import { waitUntil } from '../processes/wait-until.ts';
import type { FaultArea, FaultBench, FaultCase } from './fault-case.ts';
import { flood } from './flood.ts';
import type { FaultyRelay } from './start-faulty-relay.ts';
import type { WireDirection, WirePoint } from './wire-conditions.ts';

const lost = 'CONNECTION_LOST';
/** Lost after three seconds of silence. */
const keepalive = ['ServerAliveInterval=1', 'ServerAliveCountMax=2'];

const stalls: readonly (readonly [string, readonly WireDirection[]])[] = [
  ['half-open peer', []],
  ['nothing passes to the server', ['toServer']],
  ['nothing comes from the server', ['toClient']],
];

const silentLogins: readonly (readonly [string, WirePoint])[] = [
  ['from the first byte on', { direction: 'toClient', phase: 'ident' }],
  ['in the key exchange', { direction: 'toClient', phase: 'kex' }],
  ['in the login', { direction: 'toClient', turn: 1 }],
];

/** Nothing passes any more, and nobody says so. */
export const silenceArea: FaultArea = {
  name: 'silence',
  cases: [
    ...silentLogins.map(
      ([when, point]): FaultCase => ({
        name: `${when}: CONNECT_TIMEOUT`,
        run: async (t, { relay, connect }) => {
          const own = await relay();
          own.at(point, (wire) => wire.stall());
          t.equal(await codeOf(connect(own, 'ConnectTimeout=1', ...keepalive)), 'CONNECT_TIMEOUT');
        },
      }),
    ),
    {
      name: 'half-open peer, or one deaf or dumb: CONNECTION_LOST by keepalive, for idle and open channels and for opens',
      run: async (t, bench) => {
        await Promise.all(
          stalls.map(async ([what, directions]) => {
            const { relay, connection, channel } = await up(bench);
            const [closed, exit] = [closeOf(channel), codeOf(channel.exit)];
            channel.resume();
            relay.stall(...directions);
            t.equal(await codeOf(connection.openSession({ kind: 'exec', command: 'true' })), lost, what);
            t.match(await closed, { code: lost }, what);
            t.equal(await exit, lost, what);
            t.match(await connection.closed, { kind: 'lost', error: { code: lost } }, what);
          }),
        );
      },
    },
    {
      name: 'half-open peer in the middle of an upload: CONNECTION_LOST by keepalive',
      run: async (t, bench) => {
        const { relay, connection, channel } = await up(bench, 'echo up; exec cat >/dev/null');
        const closed = closeOf(channel);
        channel.resume();
        relay.stall();
        flood(channel);
        t.match(await closed, { code: lost });
        t.match(await connection.closed, { kind: 'lost', error: { code: lost } });
      },
    },
    {
      name: 'half-open peer: close does not wait for it',
      run: async (t, bench) => {
        const { relay, connection, channel } = await up(
          bench,
          'echo up; exec cat >/dev/null',
          'ServerAliveInterval=60',
        );
        relay.stall();
        channel.write(Buffer.alloc(1_000_000));
        channel.resume();
        await connection.close();
        t.strictSame(await connection.closed, { kind: 'closed' });
      },
    },
    {
      name: 'a wire that stands still for less than that: all goes on',
      run: async (t, bench) => {
        const { relay, connection, channel } = await up(bench, 'echo up; exec cat', 'ServerAliveInterval=60');
        relay.stall();
        const collected = collect(channel);
        const other = connection.openSession({ kind: 'exec', command: 'echo late' });
        channel.end('held');
        await waitUntil('something to be held', () => relay.wires.some(({ held }) => held > 0));
        relay.resume();
        t.match(await collected, { stdout: 'held', exit: { kind: 'status', code: 0 } });
        t.equal((await collect(await other)).stdout, 'late\n');
      },
    },
    {
      name: 'a wire that comes back too late: lost, and nothing is left',
      run: async (t, bench) => {
        const { relay, connection, channel } = await up(bench);
        const closed = closeOf(channel);
        channel.resume();
        relay.stall();
        t.match(await connection.closed, { kind: 'lost', error: { code: lost } });
        relay.resume();
        t.match(await closed, { code: lost });
        await waitUntil('the wire to be gone', () => relay.wires.length === 0);
      },
    },
  ],
};

async function up(
  { relay, connect }: FaultBench,
  command = 'echo up; exec cat',
  ...options: readonly string[]
): Promise<{ relay: FaultyRelay; connection: Connection; channel: SessionChannel }> {
  const own = await relay();
  const connection = await connect(own, ...(options.length === 0 ? keepalive : options));
  const channel = await connection.openSession({ kind: 'exec', command });
  channel.stderr.resume();
  await readUntil(channel, 'up\n');
  return { relay: own, connection, channel };
}
