import { chmod, chown, mkdir, readFile, writeFile } from 'node:fs/promises';
import { dirname, join } from 'node:path';
import process from 'node:process';
import { quoteCommand } from '@viassh/core';
import { type MailServer, type Sshd, startExim, startPostfix, startSshd } from '@viassh/testing';
import { commandsInPath, runProgram } from './run-program.ts';
import { cliFile } from './run-viassh.ts';

/** Two mail servers: what the near one has for `far.example` goes to the far one through viassh and a real sshd. */
export interface MailRoute extends AsyncDisposable {
  readonly sshd: Sshd;
  readonly near: MailServer;
  readonly far: MailServer;
}

const nearServers = {
  exim: () => startExim({ configuration: 'debian', domain: 'near.example' }),
  'exim-split': () => startExim({ configuration: 'debian-split', domain: 'near.example' }),
  postfix: () => startPostfix({ domain: 'near.example' }),
} as const;
const farServers = { exim: startExim, postfix: startPostfix } as const;

/** What a test can ask of {@link startMailRoute}. */
export interface MailRouteOptions {
  readonly near: keyof typeof nearServers;
  readonly far: keyof typeof farServers;
  readonly transport: string;
  /** What the far end dials in place of the far server. */
  readonly to?: number | undefined;
}

/** Starts both, and has sh run in the near one's system what `viassh recipe` printed, byte for byte. */
export async function startMailRoute({ near, far, transport, to }: MailRouteOptions): Promise<MailRoute> {
  await using undo = new AsyncDisposableStack();
  const sshd = undo.use(await startSshd({ mode: 'listen' }));
  const viassh = await installFor(sshd, transport);
  const starting = [nearServers[near](), farServers[far]()] as const;
  for (const started of await Promise.allSettled(starting)) // where one fails the other one is to go, too
    if (started.status === 'fulfilled') undo.use(started.value);
  const [nearServer, farServer] = await Promise.all(starting);
  const program = near === 'postfix' ? 'postfix' : 'exim';
  const port = to ?? farServer.port;
  const options = ['--domains', 'far.example,*.far.example', '--user', sshd.user, '--to', `127.0.0.1:${port}`];
  const recipe = ['recipe', program, sshd.destination, ...options];
  const printed = await runProgram('viassh', recipe);
  const input = printed.stdout.toString();
  const { exit, stderr } = await nearServer.run('sh', [], {
    input,
    env: { PATH: `${dirname(viassh)}:${commandsInPath}` },
  });
  if (printed.code !== 0 || exit.kind !== 'status' || exit.code !== 0)
    throw new Error(`the recipe failed: ${printed.stderr} ${stderr}`);
  if (near === 'postfix') await nearServer.run('postfix', ['reload']);
  const owned = undo.move();
  return { sshd, near: nearServer, far: farServer, [Symbol.asyncDispose]: () => owned.disposeAsync() };
}

/**
 * Makes the fixture's user one who can `viassh t`: with key, known hosts and configuration at home, and a command on a
 * transport, as mail servers hand no environment on. Gives that command.
 */
async function installFor(sshd: Sshd, transport: string): Promise<string> {
  const own = async (path: string, mode: number): Promise<void> => {
    await chown(path, sshd.uid, sshd.gid);
    await chmod(path, mode);
  };
  const folder = join(sshd.home, '.ssh');
  await mkdir(folder);
  await own(folder, 0o700);
  const config = (await readFile(sshd.configFile, 'utf8'))
    .replace(sshd.identityFile, join(folder, 'id'))
    .replace(sshd.knownHostsFile, join(folder, 'known_hosts'));
  for (const [name, text] of [
    ['config', config],
    ['id', await readFile(sshd.identityFile)],
    ['known_hosts', await readFile(sshd.knownHostsFile)],
  ] as const) {
    await writeFile(join(folder, name), text);
    await own(join(folder, name), 0o600);
  }
  const bin = join(sshd.folder, 'bin');
  await mkdir(bin);
  const viassh = join(bin, 'viassh');
  const command = quoteCommand([process.execPath, cliFile]);
  await writeFile(
    viassh,
    `#!/bin/sh\nVIASSH_TRANSPORT=${transport} VIASSH_RUNTIME_DIR=${sshd.home}/run exec ${command} "$@"\n`,
  );
  await chmod(viassh, 0o755);
  return viassh;
}
