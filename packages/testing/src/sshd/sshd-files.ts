import { mkdir, writeFile } from 'node:fs/promises';
import { join } from 'node:path';
import { blobOf, generateKey, type KeyPair } from './keys.ts';
import type { SshdProgram } from './find-sshd.ts';
import type { SshdOptions } from './sshd.ts';

/** The name under which the client looks the host key up. */
function hostKeyAlias({ host }: SshdOptions): string {
  return `viassh-test-${host ?? 'server'}`;
}

/** The text of sshd_config. */
export function sshdConfig(
  folder: string,
  hostKeys: readonly KeyPair[],
  port: number,
  program: SshdProgram,
  options: SshdOptions,
): string {
  const [major, minor] = program.version;
  const first = options.config ?? [];
  const match = first.findIndex((line) => /^\s*match\s/i.test(line));
  const lines = [
    ...(match < 0 ? first : first.slice(0, match)),
    ...(options.mode === 'listen' ? ['ListenAddress 127.0.0.1', `Port ${port}`] : []),
    // A remote forward to a port of sshd's choice stands when one of two families has that port free: the other may be somebody else's.
    'AddressFamily inet',
    ...hostKeys.map(({ file }) => `HostKey ${file}`),
    `AuthorizedKeysFile ${join(folder, 'authorized_keys')}`,
    'PidFile none',
    'UsePAM no',
    'StrictModes no',
    'LogLevel DEBUG1',
    `PasswordAuthentication ${options.password === undefined ? 'no' : 'yes'}`,
    'KbdInteractiveAuthentication no',
    'PrintMotd no',
    'MaxStartups 200',
    'LoginGraceTime 60',
    ...(major > 9 || (major === 9 && minor >= 8) ? ['PerSourcePenalties no'] : []),
    ...(match < 0 ? [] : first.slice(match)),
  ];
  return `${lines.join('\n')}\n`;
}

/** The text of the client's ssh_config: one `Host` block and all that it takes to log in. */
export function clientConfig(
  {
    user,
    port,
    identityFile,
    knownHostsFile,
  }: { user: string; port: number; identityFile: string; knownHostsFile: string },
  proxyCommand: string | undefined,
  options: SshdOptions,
): string {
  const lines = [
    ...(options.clientConfig ?? []),
    'HostName 127.0.0.1',
    `Port ${port}`,
    `User ${user}`,
    `IdentityFile ${identityFile}`,
    'IdentitiesOnly yes',
    'IdentityAgent none',
    `UserKnownHostsFile ${knownHostsFile}`,
    'GlobalKnownHostsFile /dev/null',
    'StrictHostKeyChecking yes',
    'UpdateHostKeys no',
    `HostKeyAlias ${hostKeyAlias(options)}`,
    ...(proxyCommand === undefined ? [] : [`ProxyCommand ${proxyCommand}`]),
  ];
  return `Host ${options.host ?? 't'}\n${lines.map((line) => `  ${line}\n`).join('')}`;
}

/** Writes the client's known_hosts in the state that the test asked for; gives its path. */
export async function writeKnownHosts(
  folder: string,
  hostKeys: readonly KeyPair[],
  options: SshdOptions,
): Promise<string> {
  const file = join(folder, 'known_hosts');
  const state = options.knownHosts ?? 'good';
  if (state === 'unreadable') await mkdir(file);
  else if (state === 'changed')
    await writeFile(file, (await Promise.all(hostKeys.map((key) => otherKeyLine(folder, key, options)))).join(''));
  else
    await writeFile(
      file,
      state === 'empty' ? '' : hostKeys.map((key) => knownHostsLines(key, state, options)).join(''),
      {
        mode: 0o600,
      },
    );
  return file;
}

function knownHostsLines({ publicKey }: KeyPair, state: 'good' | 'revoked', options: SshdOptions): string {
  const good = `${hostKeyAlias(options)} ${publicKey}\n`;
  return state === 'good' ? good : `${good}@revoked ${good}`;
}

/** A line with another key of the same type. */
async function otherKeyLine(folder: string, hostKey: KeyPair, options: SshdOptions): Promise<string> {
  const blob = blobOf(hostKey.publicKey);
  const type = blob.toString('latin1', 4, 4 + blob.readUInt32BE(0));
  const short = type === 'ssh-ed25519' ? 'ed25519' : type === 'ssh-rsa' ? 'rsa' : 'ecdsa';
  const other = await generateKey(join(folder, `other_${short}`), short);
  return `${hostKeyAlias(options)} ${other.publicKey}\n`;
}
