import { mkdtemp, realpath, rm, writeFile } from 'node:fs/promises';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import type { Ed25519Key } from './ed25519-key.ts';

/** What a client needs to log in, in a folder of its own that only this user can enter. */
export interface ClientFiles extends AsyncDisposable {
  readonly folder: string;
  /** For `ssh -F`: knows one host, `demo`. */
  readonly configFile: string;
  readonly identityFile: string;
  readonly knownHostsFile: string;
}

/** The name that the ssh_config has for the server, and the user on it. */
export const DEMO_NAME = 'demo';

/** Writes private key, known_hosts and ssh_config; disposing removes the folder. */
export async function writeClientFiles(port: number, hostKey: Ed25519Key, clientKey: Ed25519Key): Promise<ClientFiles> {
  const folder = await mkdtemp(join(await realpath(tmpdir()), 'viassh-demo-')); // mode 0700
  const remove = (): Promise<void> => rm(folder, { recursive: true, force: true });
  const [configFile, identityFile, knownHostsFile] = ['ssh_config', 'id_ed25519', 'known_hosts'].map((name) =>
    join(folder, name),
  ) as [string, string, string];
  try {
    await writeFile(identityFile, clientKey.privateKey, { mode: 0o600 });
    await writeFile(knownHostsFile, `[127.0.0.1]:${port} ${hostKey.publicLine}\n`, { mode: 0o600 });
    await writeFile(configFile, configText(port, identityFile, knownHostsFile), { mode: 0o600 });
  } catch (error) {
    await remove();
    throw error;
  }
  return { folder, configFile, identityFile, knownHostsFile, [Symbol.asyncDispose]: remove };
}

function configText(port: number, identityFile: string, knownHostsFile: string): string {
  return [
    `Host ${DEMO_NAME}`,
    '  HostName 127.0.0.1',
    `  Port ${port}`,
    `  User ${DEMO_NAME}`,
    `  IdentityFile ${configWord(identityFile)}`,
    '  IdentitiesOnly yes',
    '  IdentityAgent none',
    `  UserKnownHostsFile ${configWord(knownHostsFile)}`,
    '  GlobalKnownHostsFile /dev/null',
    '  StrictHostKeyChecking yes',
    '',
  ].join('\n');
}

/** ssh_config(5): quotes keep blanks, `%%` is a percent sign. */
function configWord(path: string): string {
  return `"${path.replaceAll('%', '%%')}"`;
}
