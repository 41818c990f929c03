import { appendFile, mkdir, readFile } from 'node:fs/promises';
import { dirname } from 'node:path';
import { type ResolvedDestination, knownHostsName } from '../destination/resolved-destination.ts';
import { ViasshError } from '../errors/viassh-error.ts';
import type { Logger } from '../log/logger.ts';
import { describeHostKey, type HostKey } from './host-key.ts';
import { formatKnownHostsLine, type KnownHostsEntry, lookUpHostKey, parseKnownHosts } from './known-hosts.ts';

type Hop = Pick<
  ResolvedDestination,
  | 'hostKeyAlias'
  | 'hostName'
  | 'port'
  | 'userKnownHostsFiles'
  | 'globalKnownHostsFiles'
  | 'strictHostKeyChecking'
  | 'hashKnownHosts'
>;

/**
 * Reads all known_hosts files of a hop. A file that is not there is empty; one that cannot be read is an error, because
 * its @revoked lines would be missed.
 *
 * @throws ViasshError KNOWN_HOSTS_UNREADABLE
 */
export async function readKnownHosts(
  hop: Pick<Hop, 'userKnownHostsFiles' | 'globalKnownHostsFiles'>,
): Promise<KnownHostsEntry[]> {
  const files = [...hop.userKnownHostsFiles, ...hop.globalKnownHostsFiles].filter((file) => file !== '/dev/null');
  return (await Promise.all(files.map(readOne))).flat();
}

/**
 * Decides by known_hosts and StrictHostKeyChecking: `yes` and `ask` accept only known keys, `accept-new` and `no` write
 * a new one down and say so. A changed or revoked key is refused always.
 *
 * @throws ViasshError HOST_KEY_UNKNOWN, HOST_KEY_CHANGED, HOST_KEY_REVOKED with fingerprint and what to do.
 */
export async function verifyKnownHost(
  hop: Hop,
  entries: readonly KnownHostsEntry[],
  key: HostKey,
  log: Logger,
): Promise<void> {
  const name = knownHostsName(hop);
  const finding = lookUpHostKey(entries, name, key);
  if (finding.kind === 'known') return;
  if (finding.kind === 'revoked')
    throw hostKeyRevoked(name, describeHostKey(key), `${finding.entry.file}:${finding.entry.line}`);
  if (finding.kind === 'changed')
    throw hostKeyChanged(name, describeHostKey(key), `${finding.entry.file}:${finding.entry.line}`);
  if (isKnownWithoutPort(hop, entries, key)) return;
  const file = hop.userKnownHostsFiles[0];
  if ((hop.strictHostKeyChecking === 'accept-new' || hop.strictHostKeyChecking === 'no') && file !== undefined) {
    const done = await append(file, formatKnownHostsLine(name, key, { hashed: hop.hashKnownHosts }));
    log.warning(
      `StrictHostKeyChecking=${hop.strictHostKeyChecking}: ${done} ${describeHostKey(key)} for ${name} to ${file}`,
    );
    return;
  }
  throw hostKeyUnknown(hop, describeHostKey(key));
}

/** The refusal of a key that is in no file; `shown` is `TYPE SHA256:…`. Both transports say it in these words. */
export function hostKeyUnknown(
  hop: Pick<Hop, 'hostKeyAlias' | 'hostName' | 'port' | 'userKnownHostsFiles'>,
  shown: string,
  cause?: unknown,
): ViasshError {
  const file = hop.userKnownHostsFiles[0] ?? '~/.ssh/known_hosts';
  return new ViasshError('HOST_KEY_UNKNOWN', `the host key of ${knownHostsName(hop)} is not known: ${shown}`, {
    hint:
      'compare this fingerprint with one from somebody you trust, then add the key: ' +
      `ssh-keyscan -p ${hop.port} ${hop.hostName} >> ${file} (and look at it with ssh-keygen -lf), or log in once with ssh and answer yes`,
    cause,
  });
}

/** The refusal of a key that differs from the one on file. */
export function hostKeyChanged(name: string, shown: string, where: string, cause?: unknown): ViasshError {
  return new ViasshError(
    'HOST_KEY_CHANGED',
    `the host key of ${name} has changed: the server shows ${shown}, ${where} has another`,
    {
      hint: `somebody may be in between. If the server was set up anew, compare the fingerprint, then: ssh-keygen -R '${name}' and add the new key`,
      cause,
    },
  );
}

/** The refusal of a key marked @revoked. */
export function hostKeyRevoked(name: string, shown: string, where: string, cause?: unknown): ViasshError {
  return new ViasshError('HOST_KEY_REVOKED', `the host key of ${name} is revoked: ${shown} (${where})`, {
    hint: 'the key must not be trusted any more; ask whoever runs the server for its new one',
    cause,
  });
}

/** sshconnect.c, check_host_key(): a key known for the bare host name is good on every port of it. */
function isKnownWithoutPort(hop: Hop, entries: readonly KnownHostsEntry[], key: HostKey): boolean {
  return (
    hop.hostKeyAlias === undefined && hop.port !== 22 && lookUpHostKey(entries, hop.hostName, key).kind === 'known'
  );
}

/** Adds a line after the last one, whole or not. A file that cannot be written is told and, as with ssh, no obstacle. */
async function append(file: string, line: string): Promise<string> {
  try {
    await mkdir(dirname(file), { recursive: true, mode: 0o700 });
    const before = await readFile(file, 'latin1').catch(() => '');
    await appendFile(file, before === '' || before.endsWith('\n') ? line : `\n${line}`, { mode: 0o600 });
    return 'added';
  } catch (error) {
    return `accepted, but could not write (${(error as NodeJS.ErrnoException).code ?? 'unknown reason'}),`;
  }
}

async function readOne(file: string): Promise<KnownHostsEntry[]> {
  try {
    return parseKnownHosts(await readFile(file, 'utf8'), file);
  } catch (error) {
    const { code } = error as NodeJS.ErrnoException;
    if (code === 'ENOENT' || code === 'ENOTDIR') return [];
    throw new ViasshError('KNOWN_HOSTS_UNREADABLE', `cannot read ${file}: ${(error as Error).message}`, {
      hint: `make it readable for you, or name another with -o UserKnownHostsFile=FILE`,
      cause: error,
    });
  }
}
