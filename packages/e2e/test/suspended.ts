import { join } from 'node:path';
import { createInterface } from 'node:readline';
import { descendantsOf, listProcesses, startFaultyRelay, startSshd, waitUntil } from '@viassh/testing';
import type { Test } from 'tap';
import { startViassh, type transports } from './run-viassh.ts';

const file = join(import.meta.dirname, 'supervised-holder.ts');

/** A program that keeps a connection up sleeps for so long, and its wire goes dead meanwhile; no keepalive would tell. */
export async function suspendedFor(t: Test, transport: (typeof transports)[number], ms: number): Promise<void> {
  await using sshd = await startSshd({ mode: 'listen' });
  await using relay = await startFaultyRelay({ to: sshd.port });
  await using holder = startViassh([sshd.configFile, transport, String(relay.port)], { file });
  const lines = createInterface({ input: holder.stdout })[Symbol.asyncIterator]();
  const line = async (): Promise<unknown> => (await lines.next()).value ?? `ended: ${holder.stderr()}`;
  t.equal(await line(), 'up');
  const resumeAt = performance.now() + ms;
  await signalAll(holder.pid, 'SIGSTOP');
  relay.stall();
  await waitUntil('time to pass', () => performance.now() > resumeAt, { withinMs: ms + 5000, everyMs: 100 });
  await signalAll(holder.pid, 'SIGCONT');
  const woke = performance.now();
  t.equal(await line(), 'waiting CONNECTION_LOST');
  t.equal(await line(), 'connecting');
  t.equal(await line(), 'up');
  t.comment(`${transport}: up ${(performance.now() - woke).toFixed(0)} ms after ${ms / 1000} s of sleep`);
}

/** As a machine that sleeps: the program and all that it started. */
async function signalAll(pid: number, signal: NodeJS.Signals): Promise<void> {
  for (const one of [pid, ...descendantsOf(pid, await listProcesses()).map((entry) => entry.pid)]) {
    try {
      process.kill(one, signal);
    } catch (error) {
      if ((error as NodeJS.ErrnoException).code !== 'ESRCH') throw error; // one that has ended since we looked
    }
  }
}
