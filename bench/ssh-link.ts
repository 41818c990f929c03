import { once } from 'node:events';
import { access } from 'node:fs/promises';
import { join } from 'node:path';
import { pipeline } from 'node:stream/promises';
import { setTimeout as delay } from 'node:timers/promises';
import type { Sshd } from '@viassh/testing';
import { cipher, type Link } from './link.ts';
import { ended, type Program, sshProgram, start } from './programs.ts';
import { Counter, zeros } from './streams.ts';

/** A spawned ssh for each command, its stdio in this process. */
export function sshLink(sshd: Sshd): Link {
  return spawning(sshProgram(sshd, ['-o', `Ciphers=${cipher}`]));
}

/** As {@link sshLink}, with a ControlMaster behind it. */
export async function sharedSshLink(sshd: Sshd): Promise<Link> {
  const stack = new AsyncDisposableStack();
  const options = ['-o', `Ciphers=${cipher}`];
  const socket = await startMaster(stack, sshd, 'bench-control', options);
  return {
    ...spawning(sshProgram(sshd, [...options, '-S', socket])),
    [Symbol.asyncDispose]: async () => await stack.disposeAsync(),
  };
}

/** A ControlMaster that is up; gives its socket. */
export async function startMaster(
  stack: AsyncDisposableStack,
  sshd: Sshd,
  name: string,
  options: readonly string[],
): Promise<string> {
  const socket = join(sshd.folder, name);
  const program = sshProgram(sshd, [...options, '-S', socket]);
  const master = start({ ...program, args: ['-M', '-N', ...program.args] }, '', 'ignore', 'ignore');
  stack.defer(async () => {
    const gone = once(master, 'exit');
    if (master.exitCode !== null) return;
    master.kill();
    await gone;
  });
  const isThere = (): Promise<boolean> =>
    access(socket).then(
      () => true,
      () => false,
    );
  while (!(await isThere())) {
    if (master.exitCode !== null) throw new Error('the ControlMaster ended');
    await delay(10);
  }
  return socket;
}

function spawning(program: Program): Link {
  return {
    async download(command) {
      const child = start(program, command, 'ignore', 'pipe');
      const stdout = new Counter();
      await pipeline(child.stdout ?? [], stdout);
      await ended(program, child);
      return stdout.bytes;
    },
    async firstByte(command) {
      const before = performance.now();
      const child = start(program, command, 'ignore', 'pipe');
      await once(child.stdout ?? child, 'data');
      const took = performance.now() - before;
      await ended(program, child);
      return took;
    },
    async upload(command, bytes) {
      const child = start(program, command, 'pipe', 'ignore');
      await pipeline(zeros(bytes), child.stdin ?? new Counter());
      await ended(program, child);
    },
    [Symbol.asyncDispose]: async () => undefined,
  };
}
