import { execFileSync } from 'node:child_process';
import { chmod, chown, mkdir, readFile, writeFile } from 'node:fs/promises';
import { join } from 'node:path';
import process from 'node:process';
import { type KeyPair, makeScratchFolder, type Sshd, startSshd, waitUntil } from '@viassh/testing';
import { printed } from './cvs-repository.ts';
import { type ProgramRunOptions, runProgram } from './run-program.ts';
import type { Outcome } from './run-viassh.ts';

/** As root, Taylor UUCP with `-I` becomes the user uucp; as anybody else it stays that. */
export const uucpUser: { readonly uid: number; readonly gid: number } =
  process.getuid?.() === 0 ? idsOf('uucp') : { uid: process.getuid?.() ?? 0, gid: process.getgid?.() ?? 0 };

/** A node that calls: made by the printed recipe in a folder of its own. */
export interface CallingNode {
  readonly name: string;
  readonly folder: string;
  readonly key: KeyPair;
  /** The fixture's ssh_config, for the user that it runs as. */
  readonly clientConfig: string;
  /** Runs a program of UUCP, with `-I` on this node: `uucp`, `uux`, `uucico`. */
  run(program: string, args: readonly string[], options?: ProgramRunOptions): Promise<Outcome>;
  /** Calls the other system, and waits for the end of the call. */
  call(): Promise<Outcome>;
  /** The environment of its programs. */
  readonly env: Readonly<Record<string, string>>;
  /** What its uucico logged, and its remote shell. */
  log(): Promise<string>;
}

/** The node that answers, on the fixture's server. Its only public programs are those in `bin`. */
export interface AnsweringNode {
  readonly sshd: Sshd;
  readonly folder: string;
  readonly config: string;
  log(): Promise<string>;
}

/** Starts the server with a node that knows its callers by name and login. */
export async function startAnsweringNode(
  stack: AsyncDisposableStack,
  callers: readonly { readonly name: string; readonly login: string; readonly password?: string }[],
): Promise<AnsweringNode> {
  const sshd = stack.use(await startSshd({ mode: 'listen', authorize: false }));
  const scratch = stack.use(await makeScratchFolder());
  const folder = join(scratch.path, 'far');
  for (const part of ['', 'spool', 'public', 'log', 'lock', 'bin']) await mkdir(join(folder, part));
  const files = {
    config: `nodename far
spool ${folder}/spool
pubdir ${folder}/public
lockdir ${folder}/lock
logfile ${folder}/log/Log
statfile ${folder}/log/Stats
debugfile ${folder}/log/Debug
sysfile ${folder}/sys
portfile ${folder}/port
callfile ${folder}/call
passwdfile ${folder}/passwd
`,
    sys: callers
      .map(({ name, login }) => `system ${name}\ncalled-login ${login}\ncommands keep\ncommand-path ${folder}/bin\n`)
      .join('\n'),
    passwd: callers.map(({ login, password = '*' }) => `${login} ${password}\n`).join(''),
    port: '',
    call: '',
    'bin/keep': `#!/bin/sh\nexec /bin/cat >'${folder}/public/kept'\n`,
  };
  for (const [name, text] of Object.entries(files)) await writeFile(join(folder, name), text);
  await chmod(join(folder, 'bin/keep'), 0o755);
  await chmod(join(folder, 'public'), 0o777);
  chownAll(folder, sshd.uid, sshd.gid);
  if (sshd.scratchUser) await letRunUucico(sshd.user);
  return { sshd, folder, config: join(folder, 'config'), log: () => readLog(folder) };
}

/** Runs the printed recipe for a node, and gives its key the printed account. */
export async function startCallingNode(
  stack: AsyncDisposableStack,
  { sshd, config }: AnsweringNode,
  transport: string,
  { name, login, password }: { readonly name: string; readonly login: string; readonly password?: string },
): Promise<CallingNode> {
  const scratch = stack.use(await makeScratchFolder());
  const folder = join(scratch.path, name);
  const key = await sshd.generateKey();
  const asked = password === undefined ? ['--login', login] : [];
  await sshd.authorize(await printed(['account', 'uucp', ...asked, '--config', config, `${key.file}.pub`]));
  await chown(key.file, uucpUser.uid, uucpUser.gid);

  const made = await runProgram('sh', [], {
    input: await printed(['recipe', 'uucp', sshd.destination]),
    env: {
      UUCP_CONFIG: folder,
      UUCP_NODENAME: name,
      UUCP_SYSTEM: 'far',
      ...(password === undefined ? {} : { UUCP_LOGIN: login, UUCP_PASSWORD: password }),
    },
  });
  if (made.code !== 0) throw new Error(`the recipe failed: ${made.stderr}`);

  // The fixture's configuration names files that only root may read.
  const [clientConfig, knownHosts] = [join(scratch.path, 'ssh_config'), join(scratch.path, 'known_hosts')];
  const text = (await readFile(sshd.configFile, 'utf8'))
    .replace(/IdentityFile .*/, `IdentityFile ${key.file}`)
    .replace(/UserKnownHostsFile .*/, `UserKnownHostsFile ${knownHosts}`);
  await writeFile(clientConfig, text);
  await writeFile(knownHosts, await readFile(sshd.knownHostsFile));
  const env = {
    VIASSH_SSH_OPTIONS: JSON.stringify(['-F', clientConfig]),
    VIASSH_TRANSPORT: transport,
    VIASSH_RUNTIME_DIR: join(folder, 'run'),
    NODE_DISABLE_COMPILE_CACHE: '1',
    UUCP_CONFIG: folder,
  };
  const run: CallingNode['run'] = async (program, args, options) =>
    await runProgram(program, ['-I', join(folder, 'config'), ...args], { env, cwd: scratch.path, ...options });
  return {
    name,
    folder,
    key,
    clientConfig,
    run,
    env,
    call: () => run('uucico', ['-D', '-S', 'far']),
    log: () => readLog(folder),
  };
}

/** Puts a file where a node may send it from. */
export async function putFile(folder: string, name: string, content: string | Uint8Array): Promise<string> {
  const file = join(folder, 'public', name);
  await writeFile(file, content);
  await chmod(file, 0o644);
  return file;
}

/** Debian lets the group uucp run uucico, and no other. Who is removed is no member any more. */
async function letRunUucico(user: string): Promise<void> {
  await waitUntil('usermod to get at /etc/group', async () => {
    const { code, stderr } = await runProgram('usermod', ['-aG', 'uucp', user]);
    if (code !== 0 && !/lock|try again|in use/i.test(stderr)) throw new Error(`usermod failed: ${stderr}`);
    return code === 0;
  });
}

async function readLog(folder: string): Promise<string> {
  const logs = ['Log', 'viassh'].map((name) => readFile(join(folder, 'log', name), 'utf8').catch(() => ''));
  return (await Promise.all(logs)).join('');
}

/** Gives a folder and all in it to somebody. */
export function chownAll(folder: string, uid: number, gid: number): void {
  execFileSync('chown', ['-R', `${uid}:${gid}`, folder]);
}

function idsOf(user: string): { uid: number; gid: number } {
  const id = (letter: string): number => {
    try {
      return Number(execFileSync('id', [letter, user], { stdio: ['ignore', 'pipe', 'ignore'] }).toString());
    } catch {
      return 0; // not installed: what needs it is skipped
    }
  };
  return { uid: id('-u'), gid: id('-g') };
}
