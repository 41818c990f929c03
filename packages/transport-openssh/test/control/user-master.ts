import { type ChildProcess, spawn } from 'node:child_process';
import { once } from 'node:events';
import { existsSync } from 'node:fs';
import { dirname, join } from 'node:path';
import { destinationOf, type Route } from '@viassh/core';
import { type Sshd, waitUntil } from '@viassh/testing';

/** A ControlMaster as a user starts it. */
export interface UserMaster extends AsyncDisposable {
  readonly controlPath: string;
  readonly pid: number;
  /** It runs, and answers `ssh -O check`. */
  answers(): Promise<boolean>;
  kill(signal: NodeJS.Signals): void;
}

let names = 0;

/** `ssh -M -S … -N t`, logged in. */
export async function startUserMaster(place: Pick<Sshd, 'folder' | 'configFile'> | Route): Promise<UserMaster> {
  const { folder, configFile } = 'hops' in place ? placeOf(place) : place;
  const controlPath = join(folder, `cm%${(names += 1)}`);
  const escaped = controlPath.replaceAll('%', '%%');
  const child: ChildProcess = spawn('ssh', ['-F', configFile, '-M', '-S', escaped, '-N', '-q', 't'], {
    stdio: 'ignore',
  });
  const exited = once(child, 'exit');
  await waitUntil('the master to log in', () => existsSync(controlPath) || child.exitCode !== null);
  return {
    controlPath,
    pid: child.pid ?? 0,
    answers: async () => {
      const check = spawn('ssh', ['-F', 'none', '-S', escaped, '-O', 'check', 't'], { stdio: 'ignore' });
      return (await once(check, 'exit'))[0] === 0;
    },
    kill: (signal) => void child.kill(signal),
    async [Symbol.asyncDispose]() {
      child.kill('SIGKILL'); // ssh may miss a SIGTERM just before it polls, and then sleeps on
      await exited;
    },
  };
}

function placeOf(route: Route): Pick<Sshd, 'folder' | 'configFile'> {
  const configFile = destinationOf(route).typed.configFile ?? '';
  return { configFile, folder: dirname(configFile) };
}
