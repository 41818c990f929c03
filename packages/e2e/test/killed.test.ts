import { readdir } from 'node:fs/promises';
import { join } from 'node:path';
import { createInterface } from 'node:readline';
import { descendantsOf, listProcesses, type Sshd, startSshd, waitUntil } from '@viassh/testing';
import { onBothTransports } from './both-transports.ts';
import { type RunningViassh, runtimeFolder, startViassh } from './run-viassh.ts';

const file = join(import.meta.dirname, 'holder.ts');
/** Three seconds of silence are a loss. */
const clientConfig = ['ServerAliveInterval 1', 'ServerAliveCountMax 2'];

onBothTransports('SIGKILL leaves no process, no socket and no folder behind', async (t, transport) => {
  await using sshd = await startSshd({ mode: 'listen' });
  await using holder = hold(sshd, transport);
  t.equal(await holder.line(), 'up');
  const below = await family(holder.pid);
  t.equal(below.length > 1, transport === 'openssh', 'the openssh transport has programs to leave behind');
  holder.kill('SIGKILL');
  await waitUntil('its programs to be gone', async () => {
    const alive = new Set((await listProcesses()).map(({ pid, started }) => `${pid} ${started}`));
    return below.every(({ pid, started }) => !alive.has(`${pid} ${started}`));
  });
  await waitUntil('its folder to be gone', async () => (await readdir(runtimeFolder).catch(() => [])).length === 0);
  await waitUntil('the server to have nobody any more', async () => (await sshd.processes()).length === 1);
});

onBothTransports('suspended while the server dies: CONNECTION_LOST when it comes back', async (t, transport) => {
  await using sshd = await startSshd({ mode: 'listen', clientConfig });
  await using holder = hold(sshd, transport);
  t.equal(await holder.line(), 'up');
  await signalAll(holder.pid, 'SIGSTOP');
  await sshd.kill();
  await signalAll(holder.pid, 'SIGCONT');
  t.equal(await holder.line(), 'lost CONNECTION_LOST');
  t.strictSame(await holder.exit, { code: 0, signal: null });
});

onBothTransports(
  'suspended for longer than its own keepalive: it lives on, or says that it is lost',
  async (t, transport) => {
    await using sshd = await startSshd({ mode: 'listen', clientConfig });
    await using holder = hold(sshd, transport);
    t.equal(await holder.line(), 'up');
    const resumeAt = performance.now() + 4000;
    await signalAll(holder.pid, 'SIGSTOP');
    await waitUntil('time to pass', () => performance.now() > resumeAt, { everyMs: 100 });
    await signalAll(holder.pid, 'SIGCONT');
    holder.stdin.write('still here\n');
    t.match(await holder.line(), /^(still here|lost CONNECTION_LOST|CONNECTION_LOST)$/);
  },
);

function hold(sshd: Sshd, transport: string): RunningViassh & { line(): Promise<string> } {
  const running = startViassh([sshd.configFile, transport], { file });
  const lines = createInterface({ input: running.stdout })[Symbol.asyncIterator]();
  return {
    ...running,
    async line() {
      const { value, done } = await lines.next();
      return done === true ? `ended: ${running.stderr()}` : value;
    },
  };
}

async function family(pid: number): ReturnType<typeof listProcesses> {
  const all = await listProcesses();
  return [...all.filter((entry) => entry.pid === pid), ...descendantsOf(pid, all)];
}

/** As a machine that sleeps: the program and all that it started. */
async function signalAll(pid: number, signal: NodeJS.Signals): Promise<void> {
  for (const one of await family(pid)) {
    try {
      process.kill(one.pid, signal);
    } catch (error) {
      if ((error as NodeJS.ErrnoException).code !== 'ESRCH') throw error; // one that has ended since we looked
    }
  }
}
