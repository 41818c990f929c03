import { spawn } from 'node:child_process';
import { once } from 'node:events';
import { readdir, stat, writeFile } from 'node:fs/promises';
import { join } from 'node:path';
import process from 'node:process';
import type { Test } from 'tap';
import { listProcesses, type Sshd, startSshd, waitUntil } from '@viassh/testing';
import { onBothTransports } from './both-transports.ts';
import { skipWithoutRsync } from './rsync-programs.ts';
import { commandsInPath, reaching } from './run-program.ts';
import { surroundings } from './run-viassh.ts';

const SIZE = 16 * 1024 * 1024;

interface Transfer {
  readonly pid: number;
  readonly to: string;
  readonly end: Promise<{ readonly code: number | null; readonly stderr: string }>;
}

/** A slow rsync that fetches a large file with --partial, some of which has come. */
async function startTransfer(
  t: Test,
  sshd: Sshd,
  shell: string,
  env: Record<string, string>,
  name: string,
): Promise<Transfer> {
  await writeFile(join(sshd.home, 'large'), Buffer.alloc(SIZE, 7), { mode: 0o644 });
  const to = join(t.testdirName, name);
  const args = ['--partial', '--bwlimit=4000', '-e', shell, `${sshd.destination}:large`, `${to}/`];
  const child = spawn('/usr/bin/env', ['-u', 'NODE_OPTIONS', 'rsync', ...args], {
    env: { ...surroundings, PATH: commandsInPath, ...env },
    stdio: ['ignore', 'ignore', 'pipe'],
    detached: true,
  });
  t.teardown(() => child.kill('SIGKILL'));
  let stderr = '';
  child.stderr.setEncoding('utf8').on('data', (text: string) => (stderr += text));
  const end = once(child, 'close').then(([code]) => ({ code: code as number | null, stderr }));
  await waitUntil(
    'some of the file to be here',
    async () => {
      const [temporary] = await readdir(to).catch(() => []);
      return temporary !== undefined && (await stat(join(to, temporary)).catch(() => undefined))?.size;
    },
    { withinMs: 20_000 },
  );
  return { pid: child.pid ?? 0, to, end };
}

/** The far end's processes are gone but for the listener. */
async function farEndIsGone(sshd: Sshd): Promise<void> {
  await waitUntil('the far end to be gone', async () => {
    const all = await listProcesses();
    return !all.some(({ command }) => command.startsWith('rsync --server')) && (await sshd.processes()).length <= 1;
  });
}

onBothTransports(
  'a server that dies mid-transfer ends rsync as with ssh, and what came is kept',
  async (t, transport) => {
    t.testdir();
    const results: { code: number | null; kept: readonly string[]; stderr: string }[] = [];
    for (const way of ['viassh', 'ssh']) {
      await using sshd = await startSshd({ mode: 'listen' });
      const shell = way === 'ssh' ? `ssh -F ${sshd.configFile}` : 'viassh-ssh';
      const { to, end } = await startTransfer(t, sshd, shell, reaching(sshd, transport), way);
      await sshd.kill();
      const { code, stderr } = await end;
      results.push({ code, stderr, kept: await readdir(to) });
      t.ok((await stat(join(to, 'large'))).size > 0, `${way}: the part is there under its name`);
    }
    // Which of the two: whether rsync saw the end of the stream or of the remote shell first.
    for (const { code, stderr } of results) t.ok(code === 12 || code === 255, `${code}: ${stderr}`);
    t.strictSame(results[0]?.kept, ['large']);
    t.strictSame(results[1]?.kept, ['large'], 'with ssh, too');
  },
  skipWithoutRsync,
);

for (const signal of ['SIGTERM', 'SIGINT', 'SIGKILL'] as const) {
  onBothTransports(
    `rsync ended by ${signal} leaves nothing on either end`,
    async (t, transport) => {
      t.testdir();
      await using sshd = await startSshd({ mode: 'listen' });
      const { pid, end } = await startTransfer(t, sshd, 'viassh-ssh', reaching(sshd, transport), 'to');
      process.kill(pid, signal);
      const { code, stderr } = await end;
      t.equal(code, signal === 'SIGKILL' ? null : 20);
      t.notMatch(stderr, /Debugger/, 'rsync ends its remote shell with the signal that has Node listen for a debugger');
      await farEndIsGone(sshd);
    },
    skipWithoutRsync,
  );
}
