import { spawn } from 'node:child_process';
import { once } from 'node:events';
import process from 'node:process';
import { fileURLToPath } from 'node:url';
import { overhear } from './overheard.ts';

const file = fileURLToPath(new URL('forward-target.ts', import.meta.url));

/** An echo server in a process of its own. */
export interface Target extends AsyncDisposable {
  readonly port: number;
  readonly pid: number;
  /** How many connections it has. */
  open(): Promise<number>;
}

/** Starts `forward-target.ts`. */
export async function startTarget(): Promise<Target> {
  const child = spawn('/usr/bin/env', ['-u', 'NODE_OPTIONS', process.execPath, file], {
    stdio: ['pipe', 'pipe', 'inherit'],
  });
  const exit = once(child, 'close');
  const stdout = overhear(child.stdout);
  const port = Number(/^port (\d+)\n/.exec(await stdout.until(/^port \d+\n/))?.[1]);
  let asked = 0;
  return {
    port,
    pid: child.pid ?? 0,
    async open() {
      asked += 1;
      child.stdin.write('\n');
      const said = await stdout.until(new RegExp(`(open \\d+\\n){${asked}}$`));
      return Number(/open (\d+)\n$/.exec(said)?.[1]);
    },
    async [Symbol.asyncDispose]() {
      child.stdin.end();
      await exit;
    },
  };
}
