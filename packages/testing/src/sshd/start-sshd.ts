import { appendFile, mkdir, readdir, readFile, rm, stat, writeFile } from 'node:fs/promises';
import { join } from 'node:path';
import process from 'node:process';
import { fingerprint, quoteCommand, type RunningProgram } from '@viassh/core';
import { createProgramRunner } from '@viassh/program';
import { freePort } from '../processes/free-port.ts';
import { descendantsOf, holdsOpen, killAll, listProcesses, type ProcessEntry } from '../processes/processes.ts';
import { waitUntil } from '../processes/wait-until.ts';
import { findSshd, type SshdProgram } from './find-sshd.ts';
import { blobOf, generateKey, type KeyPair } from './keys.ts';
import { makeScratchFolder } from './scratch-folder.ts';
import { makeScratchUser, type ScratchUser } from './scratch-user.ts';
import type { Sshd, SshdOptions } from './sshd.ts';
import { clientConfig, sshdConfig, writeKnownHosts } from './sshd-files.ts';

const MOST_PORTS = 5; // another process may take the port between our choice and sshd's bind

/**
 * Starts a real sshd for one test: `await using sshd = await startSshd()`, then `ssh -F <sshd.configFile> t`.
 *
 * @throws Error when sshd is missing (ask {@link missingForSshd} first) or does not come up.
 */
export async function startSshd(options: SshdOptions = {}): Promise<Sshd> {
  const program = await findSshd();
  if (program === undefined) throw new Error('no sshd on this machine');
  if (process.getuid?.() === 0) await mkdir('/run/sshd', { recursive: true, mode: 0o755 }); // sshd's privilege separation wants it
  await using undo = new AsyncDisposableStack();
  const { path: folder } = undo.use(await makeScratchFolder());
  const user = undo.use(await makeScratchUser(join(folder, 'home'), options.password));
  const [identity, ...hostKeys] = await generateKeys(folder, options);
  const authorizedKeys = join(folder, 'authorized_keys');
  const prefix = options.authorizedKeysOptions === undefined ? '' : `${options.authorizedKeysOptions} `;
  await writeFile(authorizedKeys, options.authorize === false ? '' : `${prefix}${identity.publicKey}\n`, {
    mode: 0o644,
  });
  const knownHostsFile = await writeKnownHosts(folder, hostKeys, options);
  const logFile = join(folder, 'sshd.log');
  const processes = (): Promise<ProcessEntry[]> => sshdProcesses(folder, logFile);
  const killServers = (): Promise<void> => killAll(async () => withDescendants(await processes()));
  undo.defer(() => removeAgentSockets(user));
  undo.defer(killServers);

  const { port, listener } = await startServer(program, folder, hostKeys, options);
  const configFile = join(folder, 'ssh_config');
  const proxyCommand =
    listener === undefined
      ? quoteCommand([...inNamespace(options), program.file, '-i', '-f', join(folder, 'sshd_config'), '-E', logFile])
      : undefined;
  await writeFile(
    configFile,
    clientConfig({ user: user.name, port, identityFile: identity.file, knownHostsFile }, proxyCommand, options),
  );

  const owned = undo.move();
  let keys = 0;
  let alive = listener !== undefined;
  void listener?.exit.then(() => (alive = false));
  return {
    mode: options.mode ?? 'inetd',
    folder,
    user: user.name,
    uid: user.uid,
    gid: user.gid,
    home: user.home,
    scratchUser: user.scratch,
    configFile,
    destination: options.host ?? 't',
    port,
    identityFile: identity.file,
    knownHostsFile,
    hostKeyFiles: hostKeys.map(({ file }) => file),
    hostKeyFingerprint: fingerprint(blobOf(hostKeys[0]?.publicKey ?? '')),
    get pid() {
      return alive ? listener?.pid : undefined;
    },
    log: () => readFile(logFile, 'utf8').catch(() => ''),
    processes: async () => (await processes()).map(({ pid }) => pid),
    async kill() {
      await killServers();
      await listener?.exit;
    },
    generateKey: ({ type, passphrase } = {}) => generateKey(join(folder, `key_${++keys}`), type, passphrase),
    authorize: (line) => appendFile(authorizedKeys, `${line.trim()}\n`),
    [Symbol.asyncDispose]: () => owned.disposeAsync(),
  };
}

async function generateKeys(
  folder: string,
  { hostKeyTypes = ['ed25519'] }: SshdOptions,
): Promise<[KeyPair, ...KeyPair[]]> {
  const hostKeys = hostKeyTypes.map((type) => generateKey(join(folder, `host_${type}`), type));
  return await Promise.all([generateKey(join(folder, 'id_ed25519')), ...hostKeys]);
}

async function startServer(
  program: SshdProgram,
  folder: string,
  hostKeys: readonly KeyPair[],
  options: SshdOptions,
): Promise<{ port: number; listener: RunningProgram | undefined }> {
  const configFile = join(folder, 'sshd_config');
  const logFile = join(folder, 'sshd.log');
  for (let attempt = 1; ; attempt += 1) {
    const port = options.mode === 'listen' ? await freePort() : 22;
    await writeFile(configFile, sshdConfig(folder, hostKeys, port, program, options));
    await checkConfig(program, configFile);
    if (options.mode !== 'listen') return { port, listener: undefined };
    const args = ['-D', '-f', configFile, '-E', logFile];
    const listener = await createProgramRunner().start({
      file: program.file,
      args,
      stdio: ['ignore', 'ignore', 'ignore'],
    });
    let ended = false;
    void listener.exit.then(() => (ended = true));
    const text = await waitUntil('sshd to listen', async () => {
      const log = await readFile(logFile, 'utf8').catch(() => '');
      return ended || log.includes(`Server listening on 127.0.0.1 port ${port}`) ? { log } : undefined;
    });
    if (!ended) return { port, listener };
    if (attempt === MOST_PORTS) throw new Error(`sshd did not start: ${text.log}`);
  }
}

/** `ip netns exec` gives a mount namespace as well: what the user may open in there changes nothing elsewhere. */
const openTunToAll = 'mount -t tmpfs none /dev/net && mknod -m 666 /dev/net/tun c 10 200 && chmod 755 /dev/net';

function inNamespace({ networkNamespace }: SshdOptions): string[] {
  if (networkNamespace === undefined) return [];
  return ['ip', 'netns', 'exec', networkNamespace, 'sh', '-c', `${openTunToAll} && exec "$@"`, 'sh'];
}

async function checkConfig({ file }: SshdProgram, configFile: string): Promise<void> {
  const { exit, stderr } = await createProgramRunner().run({ file, args: ['-t', '-f', configFile] });
  if (exit.kind !== 'status' || exit.code !== 0) throw new Error(`sshd refuses its configuration: ${stderr}`);
}

/** sshd overwrites its command line with the user's name, but keeps the log of its -E open: it is found by both. */
async function sshdProcesses(folder: string, logFile: string): Promise<ProcessEntry[]> {
  const candidates = (await listProcesses()).filter(({ command }) => /sshd/.test(command));
  const ours = await Promise.all(
    candidates.map(
      async ({ pid, command }) =>
        (/^\S*sshd\S* /.test(command) && command.includes(folder)) || (await holdsOpen(pid, logFile)),
    ),
  );
  return candidates.filter((_, index) => ours[index] === true);
}

/** What an sshd that was killed leaves of an agent that was forwarded to it: session.c, auth_input_request_forwarding(). */
async function removeAgentSockets({ uid, scratch }: Pick<ScratchUser, 'uid' | 'scratch'>): Promise<void> {
  if (!scratch) return; // a person's own may be among them
  const folders = (await readdir('/tmp')).filter((name) => /^ssh-\w{10}$/.test(name)).map((name) => join('/tmp', name));
  for (const folder of folders) {
    const found = await stat(folder).catch(() => undefined);
    if (found?.uid === uid) await rm(folder, { recursive: true, force: true });
  }
}

/**
 * The sshds and, after them so that no exit status gets out, what they run: where the user was not made for the
 * fixture, nothing else would tell those processes once their sshd is gone.
 */
async function withDescendants(sshds: readonly ProcessEntry[]): Promise<ProcessEntry[]> {
  const all = await listProcesses();
  return [...sshds, ...sshds.flatMap(({ pid }) => descendantsOf(pid, all))];
}
