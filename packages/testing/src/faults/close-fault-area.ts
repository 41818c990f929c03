import { collect, readUntil } from '../compliance/collect.ts';
import { sleeperBehind, sleeperCommand } from '../compliance/sleeper.ts';
import { waitUntil } from '../processes/wait-until.ts';
import type { FaultArea } from './fault-case.ts';
import { flood } from './flood.ts';
import { standstill } from './standstill.ts';

const DRAIN_MS = 300;
/** Closing says goodbye for a second at the most, and ends ssh for another: what takes longer than this hangs. */
const DEADLINE_MS = 8000;

/** Closing while things are stuck, each time within its deadline. */
export const closeFaultArea: FaultArea = {
  name: 'close',
  cases: [
    {
      name: 'without drain, with windows full both ways',
      run: async (t, { sshd, connect }) => {
        const connection = await connect(sshd);
        const down = await connection.openSession({ kind: 'exec', command: 'exec cat /dev/zero' });
        const up = await connection.openSession({ kind: 'exec', command: sleeperCommand });
        await using _sleeper = await sleeperBehind(up);
        flood(up);
        await standstill(down);
        t.ok(await inTime(connection.close()), 'closed in time');
      },
    },
    {
      name: 'with drain, a command that never ends: closed when the time is over',
      run: async (t, { sshd, connect }) => {
        const connection = await connect(sshd);
        const channel = await connection.openSession({ kind: 'exec', command: sleeperCommand });
        await using _sleeper = await sleeperBehind(channel);
        t.ok(await inTime(connection.close({ drainMs: DRAIN_MS })), 'closed in time');
        t.strictSame(await connection.closed, { kind: 'closed' });
      },
    },
    {
      name: 'with drain, over a wire that stands still: closed when the time is over',
      run: async (t, { relay, connect }) => {
        const own = await relay();
        const connection = await connect(own, 'ServerAliveInterval=60');
        const channel = await connection.openSession({ kind: 'exec', command: 'echo up; exec cat' });
        await readUntil(channel, 'up\n');
        own.stall();
        channel.resume().end('held');
        t.ok(await inTime(connection.close({ drainMs: DRAIN_MS })), 'closed in time');
      },
    },
    {
      name: 'with drain, over a slow wire: everything arrives first',
      run: async (t, { relay, connect }) => {
        const own = await relay({ delayMs: 50 });
        const connection = await connect(own);
        const channel = await connection.openSession({ kind: 'exec', command: 'cat; exit 6' });
        const collected = collect(channel);
        channel.end('x'.repeat(500_000));
        await connection.close({ drainMs: 20_000 });
        const { stdout, exit } = await collected;
        t.equal(stdout.length, 500_000);
        t.strictSame(exit, { kind: 'status', code: 6 });
      },
    },
  ],
};

async function inTime(closing: Promise<void>): Promise<boolean> {
  let done = false;
  const closed = closing.then(() => (done = true));
  await waitUntil('it to be closed', () => done, { withinMs: DEADLINE_MS });
  return await closed;
}
