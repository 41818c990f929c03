import { once } from 'node:events';
import type { Connection, SessionChannel } from '@viassh/core';
import { waitUntil } from '../processes/wait-until.ts';
import { closeOf, codeOf, readUntil } from '../compliance/collect.ts';
import type { FaultArea, FaultBench, FaultCase } from './fault-case.ts';
import { flood } from './flood.ts';
import type { FaultyRelay } from './start-faulty-relay.ts';
import type { FaultyWire } from './faulty-wire.ts';
import type { WireCut, WireDirection } from './wire-conditions.ts';

const ways: readonly WireCut['how'][] = ['fin', 'rst'];
const lost = 'CONNECTION_LOST';

/** The wire is cut under a connection that stands. */
export const cutUpArea: FaultArea = {
  name: 'cut when up',
  cases: [
    opening('before the CHANNEL_OPEN', ['toServer'], 'fin'),
    opening('before its answer', ['toServer', 'toClient'], 'rst'),
    opening('before the exec request', ['toServer', 'toClient', 'toServer'], 'fin'),
    opening('before the answer to exec', ['toServer', 'toClient', 'toServer', 'toClient'], 'rst'),
    ...ways.flatMap(eachWay),
  ],
};

function eachWay(how: WireCut['how']): FaultCase[] {
  return [
    {
      name: `while nothing passes (${how})`,
      run: async (t, bench) => {
        const { relay, connection } = await up(bench);
        relay.cut({ how });
        t.match(await connection.closed, { kind: 'lost', error: { code: lost } });
        t.equal(await codeOf(connection.openSession({ kind: 'exec', command: 'true' })), lost);
      },
    },
    {
      name: `in the middle of a download, inside a packet (${how}): what came is there, then CONNECTION_LOST`,
      run: async (t, bench) => {
        const { relay, connection } = await up(bench);
        const channel = await exec(connection, 'echo up; read _; exec cat /dev/zero');
        await readUntil(channel, 'up\n');
        const [closed, exit] = [closeOf(channel), codeOf(channel.exit)];
        relay.at({ direction: 'toClient', bytes: 1_000_003 }, (wire) => wire.cut({ how }));
        let bytes = 0;
        channel.on('data', (chunk: Buffer) => (bytes += chunk.length)).write('\n');
        t.match(await closed, { code: lost });
        t.equal(await exit, lost);
        t.ok(bytes < 1_000_003, `${bytes} bytes arrived`);
        // ssh ends at once when its connection does, with what it had not passed on yet: there the tail is not ours to keep.
        if (how === 'fin')
          t.ok(bytes > (connection.transport === 'openssh' ? 0 : 500_000), 'what was sent is not lost');
      },
    },
    {
      name: `in the middle of an upload (${how}): CONNECTION_LOST`,
      run: async (t, bench) => {
        const { relay, connection } = await up(bench);
        const channel = await exec(connection, 'echo up; exec cat >/dev/null');
        await readUntil(channel, 'up\n');
        const [closed, exit] = [closeOf(channel), codeOf(channel.exit)];
        relay.at({ direction: 'toServer', bytes: 1_000_003 }, (wire) => wire.cut({ how }));
        channel.resume();
        flood(channel);
        t.match(await closed, { code: lost });
        t.equal(await exit, lost);
      },
    },
    {
      name: `the last bytes of a command's output are lost (${how}): CONNECTION_LOST, whatever came`,
      run: async (t, bench) => {
        const { relay, connection } = await up(bench);
        const channel = await exec(connection, 'echo up; read _; echo out; exit 0');
        await readUntil(channel, 'up\n');
        const [closed, exit] = [closeOf(channel), codeOf(channel.exit)];
        channel.resume();
        let underWay = false;
        relay.stall('toClient');
        relay.at({ direction: 'toClient', bytes: 100 }, () => (underWay = true));
        channel.end('\n');
        await waitUntil('the end of the command to be under way', () => underWay);
        await new Promise(setImmediate); // the rest of that piece
        relay.cut({ how, lose: 60 });
        t.match(await closed, { code: lost });
        t.equal(await exit, lost);
      },
    },
    {
      name: `while it closes and drains (${how}): CONNECTION_LOST, and close does not wait on`,
      run: async (t, bench) => {
        const { relay, connection } = await up(bench);
        const channel = await exec(connection, 'echo up; exec cat');
        await readUntil(channel, 'up\n');
        const [closed, exit] = [closeOf(channel), codeOf(channel.exit)];
        channel.resume();
        const closing = connection.close({ drainMs: 600_000 });
        relay.cut({ how });
        await closing;
        t.match(await closed, { code: lost });
        t.equal(await exit, lost);
        t.match(await connection.closed, { kind: 'lost', error: { code: lost } });
      },
    },
  ];
}

function opening(where: string, turns: readonly WireDirection[], how: WireCut['how']): FaultCase {
  return {
    name: `while a session is opened, ${where} (${how}): CONNECTION_LOST`,
    run: async (t, bench) => {
      const relay = await bench.relay();
      const connection = await bench.connect(relay); // its first session: none was opened ahead
      afterTurns(relay, turns, (wire) => wire.cut({ how }));
      t.equal(await codeOf(connection.openSession({ kind: 'exec', command: 'cat' })), lost);
      t.match(await connection.closed, { kind: 'lost', error: { code: lost } });
    },
  };
}

/** Acts before the last of the turns passes; the first begins with the next byte. */
function afterTurns(
  relay: Pick<FaultyRelay, 'at'>,
  [first, ...rest]: readonly WireDirection[],
  act: (wire: FaultyWire) => void,
): void {
  if (first === undefined) return;
  relay.at({ direction: first, bytes: 0 }, (wire) => (rest.length === 0 ? act(wire) : afterTurns(wire, rest, act)));
}

/** A connection by a relay, and a quiet wire: what the server says by itself after the login is through. */
async function up({ relay, connect }: FaultBench): Promise<{ relay: FaultyRelay; connection: Connection }> {
  const own = await relay();
  const connection = await connect(own);
  const channel = await exec(connection, 'true');
  channel.resume().end();
  await Promise.all([channel.exit, channel.closed ? undefined : once(channel, 'close')]);
  return { relay: own, connection };
}

async function exec(connection: Connection, command: string): Promise<SessionChannel> {
  const channel = await connection.openSession({ kind: 'exec', command });
  channel.stderr.resume();
  return channel;
}
