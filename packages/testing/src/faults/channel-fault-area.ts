import type { Connection, SessionChannel } from '@viassh/core';
import { codeOf, collect, readUntil } from '../compliance/collect.ts';
import { waitUntil } from '../processes/wait-until.ts';
import type { FaultArea } from './fault-case.ts';
import { flood } from './flood.ts';
import { standstill } from './standstill.ts';

/** Port 1 (tcpmux): nothing listens there. */
const nobody = { host: '127.0.0.1', port: 1 };

/** Channels that are refused, killed, blocked or given up, while the connection lives on. */
export const channelFaultArea: FaultArea = {
  name: 'channels',
  cases: [
    {
      name: 'refused opens by the dozen: the connection is used on, and closed',
      run: async (t, { sshd, connect }) => {
        const connection = await connect(sshd);
        for (let round = 0; round < 12; round += 1) {
          const opens = [connection.openDirectTcpip(nobody), connection.openDirectStreamlocal('/nowhere')];
          t.strictSame(await Promise.all(opens.map(codeOf)), ['CHANNEL_REFUSED', 'CHANNEL_REFUSED']);
        }
        await assertWorks(t, connection);
        await connection.close();
        t.strictSame(await connection.closed, { kind: 'closed' });
      },
    },
    {
      name: 'past MaxSessions: refused, the others live; room again after they ended',
      run: async (t, bench) => {
        const sshd = await bench.startSshd({ config: ['MaxSessions 10'] });
        const connection = await bench.connect(sshd);
        const settled = await Promise.allSettled(Array.from({ length: 14 }, () => exec(connection, 'exec cat')));
        const open = settled.flatMap((one) => (one.status === 'fulfilled' ? [one.value] : []));
        const refused = settled.flatMap((one) => (one.status === 'rejected' ? [one.reason as unknown] : []));
        t.equal(open.length, 10);
        for (const error of refused) t.match(error, { code: 'CHANNEL_REFUSED' });
        for (const channel of open) channel.end('x');
        t.strictSame(
          (await Promise.all(open.map(collect))).map(({ stdout }) => stdout),
          open.map(() => 'x'),
        );
        await waitUntil('room for another session', () => works(connection));
      },
    },
    {
      name: 'the caller is gone while a channel is opened: the late channel is closed, its place is free',
      run: async (t, bench) => {
        const sshd = await bench.startSshd({ config: ['MaxSessions 1'] });
        const relay = await bench.relay({}, sshd);
        const connection = await bench.connect({ ...sshd, port: relay.port });
        for (let round = 0; round < 3; round += 1) {
          const controller = new AbortController();
          relay.stall('toClient');
          const opening = codeOf(
            connection.openSession({ kind: 'exec', command: 'exec cat', signal: controller.signal }),
          );
          await waitUntil('the answer to be under way', () => relay.wires.some(({ held }) => held > 0));
          controller.abort();
          t.equal(await opening, 'ABORTED');
          relay.resume('toClient');
          await waitUntil('the place to be free', () => works(connection));
        }
      },
    },
    {
      name: 'a remote command is killed: its exit says so, the others flow',
      run: async (t, { sshd, connect }) => {
        const connection = await connect(sshd);
        const other = await exec(connection, 'exec cat');
        const killed = await exec(connection, 'kill -9 $$');
        t.match((await collect(killed)).exit, { kind: 'signal', signal: 'KILL' });
        other.end('still there');
        t.equal((await collect(other)).stdout, 'still there');
      },
    },
    {
      name: 'a reader that stops for ever: the others flow, and closing does not wait for it',
      run: async (t, { sshd, connect }) => {
        const connection = await connect(sshd);
        const stuck = await exec(connection, 'exec cat /dev/zero');
        await standstill(stuck);
        for (let round = 0; round < 3; round += 1) {
          const { stdout } = await collect(await exec(connection, 'head -c 3000000 /dev/zero | tr "\\0" x'));
          t.equal(stdout.length, 3_000_000);
        }
        await connection.close();
        t.strictSame(await connection.closed, { kind: 'closed' });
      },
    },
    {
      name: 'a far end that never reads: the others flow, and destroying it ends it',
      run: async (t, { sshd, connect }) => {
        const connection = await connect(sshd);
        const stuck = await exec(connection, 'echo up; exec sleep 300');
        await readUntil(stuck, 'up\n');
        flood(stuck);
        const echo = await exec(connection, 'exec wc -c');
        echo.end(Buffer.alloc(4_000_000));
        t.equal((await collect(echo)).stdout.trim(), '4000000');
        stuck.destroy();
        t.match(await stuck.exit, { kind: 'missing' });
        await assertWorks(t, connection);
      },
    },
  ],
};

async function exec(connection: Connection, command: string): Promise<SessionChannel> {
  const channel = await connection.openSession({ kind: 'exec', command });
  channel.stderr.resume();
  return channel;
}

async function works(connection: Connection): Promise<boolean> {
  try {
    return (await collect(await connection.openSession({ kind: 'exec', command: 'echo works' }))).stdout === 'works\n';
  } catch {
    return false;
  }
}

async function assertWorks(t: { ok(value: unknown, message: string): unknown }, connection: Connection): Promise<void> {
  t.ok(await works(connection), 'the connection works');
}
