import { execFileSync } from 'node:child_process';
import { randomBytes } from 'node:crypto';
import { existsSync, readFileSync } from 'node:fs';
import { chown, mkdir, readFile } from 'node:fs/promises';
import { userInfo } from 'node:os';
import process from 'node:process';
import type { ProgramOutput } from '@viassh/core';
import { createProgramRunner } from '@viassh/program';
import { atExit } from '../processes/at-exit.ts';
import { killAll, listProcesses } from '../processes/processes.ts';
import { waitUntil } from '../processes/wait-until.ts';
import { scratchPrefix } from './scratch-folder.ts';

/** Who logs in to the fixture's sshd. Disposing removes a made user and ends all that it still runs. */
export interface ScratchUser extends AsyncDisposable {
  readonly name: string;
  readonly uid: number;
  readonly gid: number;
  readonly home: string;
  /** False: it is the person who runs the tests, and must be left alone. */
  readonly scratch: boolean;
}

/**
 * As root, makes a system user with /bin/sh and `home` (0700), and with `password` when given; as anybody else gives
 * oneself, with one's own home.
 *
 * @throws Error with what useradd said; Error for a password without root.
 */
export async function makeScratchUser(home: string, password?: string): Promise<ScratchUser> {
  if (process.getuid?.() !== 0) {
    if (password !== undefined) throw new Error('setting a password needs root');
    const { username, uid, gid, homedir } = userInfo();
    return { name: username, uid, gid, home: homedir, scratch: false, [Symbol.asyncDispose]: async () => undefined };
  }
  await sweep();
  const name = `vt${process.pid}x${randomBytes(4).toString('hex')}`;
  // A locked account (`!`) cannot log in even with a key when sshd has UsePAM no; `*` is no password and no lock.
  await retried('useradd', [
    '--system',
    '--user-group',
    '--no-create-home',
    '--home-dir',
    home,
    '--shell',
    '/bin/sh',
    '--password',
    '*',
    name,
  ]);
  const forget = atExit(() => void execFileSync('userdel', [name], { stdio: 'ignore' }));
  if (password !== undefined) await retried('chpasswd', ['-c', 'SHA512'], `${name}:${password}\n`);
  const { uid, gid } = idsOf(name);
  await mkdir(home, { mode: 0o700 });
  await chown(home, uid, gid);
  return {
    name,
    uid,
    gid,
    home,
    scratch: true,
    async [Symbol.asyncDispose]() {
      await removeUser(name, uid);
      forget();
    },
  };
}

/** Removes users that killed test processes left behind. */
async function sweep(): Promise<void> {
  for (const line of (await readFile('/etc/passwd', 'utf8')).split('\n')) {
    const [name = '', , uid, , , home = ''] = line.split(':');
    const owner = /^vt(\d+)x[0-9a-f]{8}$/.exec(name)?.[1];
    if (owner === undefined || existsSync(`/proc/${owner}`) || !home.includes(`/${scratchPrefix}${owner}-`)) continue;
    await removeUser(name, Number(uid)).catch(() => undefined); // another process may sweep at the same time
  }
}

async function removeUser(name: string, uid: number): Promise<void> {
  await killAll(async () => (await listProcesses()).filter((entry) => entry.uid === uid));
  await retried('userdel', [name]);
}

/** These programs lock /etc/passwd and give up at once when another has it: they are asked again. */
async function retried(file: string, args: readonly string[], input?: string): Promise<void> {
  await waitUntil(
    `${file} to get at /etc/passwd`,
    async () => {
      const output: ProgramOutput = await createProgramRunner().run({ file, args, input });
      if (output.exit.kind === 'status' && output.exit.code === 0) return true;
      if (!/lock|try again|in use|currently used/i.test(output.stderr))
        throw new Error(`${file} failed: ${output.stderr}`);
      return false;
    },
    { withinMs: 20_000, everyMs: 30 },
  );
}

function idsOf(name: string): { uid: number; gid: number } {
  const line = readFileSync('/etc/passwd', 'utf8')
    .split('\n')
    .find((candidate) => candidate.startsWith(`${name}:`));
  const [, , uid, gid] = line?.split(':') ?? [];
  if (uid === undefined || gid === undefined) throw new Error(`${name} is not in /etc/passwd`);
  return { uid: Number(uid), gid: Number(gid) };
}
