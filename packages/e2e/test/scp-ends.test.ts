import { access, mkdir, stat, writeFile } from 'node:fs/promises';
import { join } from 'node:path';
import process from 'node:process';
import { descendantsOf, listProcesses, startSshd, type Sshd, waitUntil } from '@viassh/testing';
import type { Test } from 'tap';
import { onBothTransports } from './both-transports.ts';
import { makeFarFolder } from './far-folder.ts';
import { commandsInPath, reaching } from './run-program.ts';
import { type RunningViassh, startViassh } from './run-viassh.ts';

const SIZE = 32 * 1024 * 1024;

interface Copy extends AsyncDisposable {
  readonly sshd: Sshd;
  readonly running: RunningViassh;
}

/** A slow scp of something large, some of which has come. */
async function startCopy(t: Test, transport: string, flags: readonly string[], plainSsh: boolean): Promise<Copy> {
  await using stack = new AsyncDisposableStack();
  const sshd = stack.use(await startSshd({ mode: 'listen', config: ['Subsystem sftp internal-sftp'] }));
  const far = await makeFarFolder(sshd);
  await writeFile(join(far, 'large'), Buffer.alloc(SIZE, 7), { mode: 0o644 });
  const here = join(t.testdirName, plainSsh ? 'ssh' : 'viassh');
  await mkdir(here, { recursive: true });
  const env = { ...reaching(sshd, transport), PATH: commandsInPath };
  const words = [...flags, '-l', '16000', `t:${far}/large`, 'copy'];
  const running = stack.use(
    plainSsh
      ? startViassh([], { env, cwd: here, shell: `exec scp -F ${sshd.configFile} ${words.join(' ')}` })
      : startViassh(['scp', ...words], { env, cwd: here }),
  );
  running.stdout.resume();
  const some = async (): Promise<boolean> => ((await stat(join(here, 'copy')).catch(() => undefined))?.size ?? 0) > 0;
  await waitUntil('some of the file to be here', some, { withinMs: 20_000 });
  const owned = stack.move();
  return { sshd, running, [Symbol.asyncDispose]: () => owned.disposeAsync() };
}

for (const [protocol, flags] of [
  ['sftp', []],
  ['the legacy protocol', ['-O']],
] as const) {
  onBothTransports(
    `scp by ${protocol}: a server that dies in the middle ends it with 1 or 255, as it does with plain ssh`,
    async (t, transport) => {
      t.testdir();
      const ends = [];
      for (const shell of ['ssh', 'viassh']) {
        await using copy = await startCopy(t, transport, flags, shell === 'ssh');
        await copy.sshd.kill();
        ends.push((await copy.running.exit).code);
        const { size } = await stat(join(t.testdirName, shell, 'copy'));
        t.ok(size > 0 && size < SIZE, `${shell}: the part that came is kept`);
      }
      // scp ends with the remote shell's 255, or with its own 1 when it finds the stream broken before it looks for that
      for (const end of ends) t.ok(end === 1 || end === 255, `${end}`);
    },
  );

  for (const signal of ['SIGTERM', 'SIGKILL'] as const) {
    onBothTransports(
      `scp by ${protocol}: ended by ${signal}, it leaves nothing on either end`,
      async (t, transport) => {
        t.testdir();
        await using copy = await startCopy(t, transport, flags, false);
        const { running, sshd } = copy;
        const below = descendantsOf(running.pid, await listProcesses());
        const scp = below.find(({ command }) => command.startsWith('scp '));
        if (scp === undefined) throw new Error('there is no scp');
        process.kill(scp.pid, signal);
        t.not((await running.exit).code, 0);
        await waitUntil('what it started to be gone', async () => {
          const alive = new Set((await listProcesses()).map(({ pid, started }) => `${pid} ${started}`));
          return below.every(({ pid, started }) => !alive.has(`${pid} ${started}`));
        });
        await waitUntil('the server to have nobody any more', async () => (await sshd.processes()).length === 1);
        await access(join(t.testdirName, 'viassh', 'copy'));
      },
    );
  }
}
