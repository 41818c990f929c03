import {
  abortedError,
  describeHostKey,
  type HostKey,
  type HostKeyVerifier,
  type KnownHostsEntry,
  knownHostsName,
  knownKeyTypes,
  type Logger,
  parseHostKey,
  readKnownHosts,
  type ResolvedDestination,
  sanitize,
  verifyKnownHost,
  ViasshError,
} from '@viassh/core';
import { settingUnsupported } from './unsupported-settings.ts';

/** Decides on the host keys of one hop. */
export interface HostKeyCheck {
  /** Key types to ask for first. */
  readonly knownTypes: readonly string[];
  /** The key that was accepted. */
  readonly accepted: HostKey | undefined;
  /** @throws ViasshError HOST_KEY_*; once accepted, another key is refused for good (key re-exchange). */
  verify(blob: Buffer, signal: AbortSignal): Promise<void>;
}

/**
 * Prepares the check before anything is dialled: what known_hosts say has to be readable first.
 *
 * @throws ViasshError KNOWN_HOSTS_UNREADABLE, SETTING_UNSUPPORTED
 */
export async function prepareHostKeyCheck(
  hop: ResolvedDestination,
  verifier: HostKeyVerifier,
  log: Logger,
): Promise<HostKeyCheck> {
  const entries = verifier.kind === 'known-hosts' ? await readKnownHosts(hop) : [];
  refuseAuthoritiesAlone(hop, entries);
  let accepted: HostKey | undefined;
  return {
    knownTypes: knownKeyTypes(entries, knownHostsName(hop)),
    get accepted() {
      return accepted;
    },
    async verify(blob, signal) {
      if (accepted !== undefined) return refuseAnother(hop, accepted, blob);
      const key = parseHostKey(blob);
      refuseShortRsa(hop, key);
      await decide(hop, verifier, { key, entries, log, signal });
      accepted = key;
    },
  };
}

async function decide(
  hop: ResolvedDestination,
  verifier: HostKeyVerifier,
  {
    key,
    entries,
    log,
    signal,
  }: { key: HostKey; entries: readonly KnownHostsEntry[]; log: Logger; signal: AbortSignal },
): Promise<void> {
  if (verifier.kind === 'known-hosts') return await verifyKnownHost(hop, entries, key, log);
  // callers in JavaScript may give anything, and only true is a yes
  const decision: { accepted: unknown; reason?: string } | undefined = await verifier
    .verify(key, hop, signal)
    .catch((error: unknown) => {
      if (signal.aborted) throw abortedError(signal.reason);
      throw refused(hop, key, `the verifier failed: ${error instanceof Error ? error.message : String(error)}`, error);
    });
  if (decision?.accepted !== true) throw refused(hop, key, decision?.reason ?? 'the verifier gave no answer');
}

function refused(hop: ResolvedDestination, key: HostKey, reason: string, cause?: unknown): ViasshError {
  return new ViasshError(
    'HOST_KEY_REFUSED',
    `the host key of ${knownHostsName(hop)} (${describeHostKey(key)}) was refused: ${sanitize(reason)}`,
    {
      hint: 'compare the fingerprint with the one that you expect',
      cause,
    },
  );
}

/** Where a host is known by its certificate only, any key it shows would be a new one, and `accept-new` take it. */
function refuseAuthoritiesAlone(hop: ResolvedDestination, entries: readonly KnownHostsEntry[]): void {
  const name = knownHostsName(hop);
  const applying = entries.filter((entry) => entry.marker !== 'revoked' && entry.matches(name));
  const [authority] = applying;
  if (authority === undefined || applying.some(({ marker }) => marker === undefined)) return;
  const place = `${authority.file}:${authority.line}`;
  throw settingUnsupported(hop, `@cert-authority for ${name} at ${place} (ssh2 has no host certificates)`);
}

function refuseAnother(hop: ResolvedDestination, accepted: HostKey, blob: Buffer): void {
  if (accepted.blob.equals(blob)) return;
  throw refused(hop, parseHostKey(blob), 'the server showed another key before');
}

/** RequiredRSASize of ssh_config(5): `ssh -G` tells it since 9.1, its default is 1024. */
function refuseShortRsa(hop: ResolvedDestination, key: HostKey): void {
  if (key.type !== 'ssh-rsa') return;
  const required = Number(hop.raw.get('requiredrsasize')?.[0] ?? 1024);
  const exponentAt = 4 + key.type.length;
  const modulusAt = exponentAt + 4 + key.blob.readUInt32BE(exponentAt);
  const modulus = key.blob.subarray(modulusAt + 4, modulusAt + 4 + key.blob.readUInt32BE(modulusAt));
  const bits = modulus.toString('hex').replace(/^(00)+/, '').length * 4;
  if (bits < required) throw refused(hop, key, `RSA with ${bits} bits is shorter than RequiredRSASize ${required}`);
}
