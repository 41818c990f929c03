import { once } from 'node:events';
import { existsSync } from 'node:fs';
import { readdir } from 'node:fs/promises';
import { descendantsOf, listProcesses, startSshd, waitUntil } from '@viassh/testing';
import { onBothTransports } from './both-transports.ts';
import { at, type RunningViassh, runtimeFolder, startViassh } from './run-viassh.ts';

const codes = { SIGTERM: 143, SIGINT: 130, SIGHUP: 129 } as const;

/** The process id that the far end's `echo $$` gave. */
async function remotePid({ stdout }: RunningViassh): Promise<number> {
  const [line] = (await once(stdout, 'data')) as [Buffer];
  stdout.resume();
  return Number(line.toString());
}

const gone = (pid: number): Promise<true> => waitUntil(`process ${pid} to end`, () => !existsSync(`/proc/${pid}`));

for (const [signal, code] of Object.entries(codes) as [keyof typeof codes, number][]) {
  onBothTransports(
    `${signal} ends it with ${code}, and the remote command that reads or writes`,
    async (t, transport) => {
      await using sshd = await startSshd();
      await using running = startViassh(['pipe', ...at(sshd, transport), '--', 'echo $$; exec cat']);
      const pid = await remotePid(running);
      t.ok(existsSync(`/proc/${pid}`));
      running.kill(signal);
      t.strictSame(await running.exit, { code, signal: null });
      t.equal(running.stderr(), '');
      await gone(pid);
    },
  );
}

onBothTransports('SIGTERM while it connects ends it, and what it started', async (t, transport) => {
  await using sshd = await startSshd();
  await using running = startViassh([
    'pipe',
    '-vv',
    '-o',
    'ProxyCommand=sleep 1000',
    ...at(sshd, transport),
    '--',
    'true',
  ]);
  const proxy = await waitUntil('the ProxyCommand to run', async () =>
    descendantsOf(running.pid, await listProcesses()).find(({ command }) => command.includes('sleep 1000')),
  );
  running.kill('SIGTERM');
  t.strictSame(await running.exit, { code: 143, signal: null });
  await gone(proxy.pid);
});

onBothTransports('SIGKILL leaves nothing: no ssh, no private folder, no remote command', async (t, transport) => {
  await using sshd = await startSshd();
  await using running = startViassh(['pipe', ...at(sshd, transport), '--', 'echo $$; exec cat']);
  const pid = await remotePid(running);
  const below = descendantsOf(running.pid, await listProcesses());
  t.ok(below.length > 0, below.map(({ command }) => command).join('; '));
  t.equal((await readdir(runtimeFolder).catch(() => [])).length, transport === 'openssh' ? 1 : 0);
  running.kill('SIGKILL');
  await running.exit;
  await Promise.all([pid, ...below.map((child) => child.pid)].map(gone));
  await waitUntil('the private folder to go', async () => (await readdir(runtimeFolder).catch(() => [])).length === 0);
});

onBothTransports('SIGTERM while the output is stuck ends it too', async (t, transport) => {
  await using sshd = await startSshd();
  await using running = startViassh(['pipe', ...at(sshd, transport), '--', 'echo $$; exec yes']);
  const [line] = (await once(running.stdout, 'data')) as [Buffer];
  running.stdout.pause();
  running.kill('SIGTERM');
  await gone(Number(line.toString().split('\n')[0]));
  running.stdout.resume();
  t.equal((await running.exit).code, 143);
});
