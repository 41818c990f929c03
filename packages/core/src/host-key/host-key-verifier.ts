import type { ResolvedDestination } from '../destination/resolved-destination.ts';
import type { Logger } from '../log/logger.ts';
import { fingerprint, type HostKey } from './host-key.ts';

/** A verifier's answer. A refusal's `reason` is shown to the user. */
export type HostKeyDecision = { readonly accepted: true } | { readonly accepted: false; readonly reason: string };

/** Decides on host keys of the caller's own accord: `custom`. An error thrown is a refusal. */
export interface CustomHostKeyVerifier {
  readonly kind: 'custom';
  verify(key: HostKey, hop: ResolvedDestination, signal?: AbortSignal): Promise<HostKeyDecision>;
}

/**
 * Leaves the decision to the known_hosts files and StrictHostKeyChecking of the resolved configuration: on the openssh
 * transport ssh itself decides, on ssh2 our own reading of the same files does.
 */
export interface KnownHostsVerifier {
  readonly kind: 'known-hosts';
}

/** Who decides whether a host key is the right one. */
export type HostKeyVerifier = KnownHostsVerifier | CustomHostKeyVerifier;

/** The verifier that every connection uses unless the caller brings another. */
export const verifyByKnownHosts: KnownHostsVerifier = { kind: 'known-hosts' };

/** Accepts only these keys, given as `SHA256:…` fingerprints. */
export function verifyByFingerprint(...accepted: readonly string[]): CustomHostKeyVerifier {
  return {
    kind: 'custom',
    verify: async (key) => {
      const shown = fingerprint(key.blob);
      return accepted.includes(shown)
        ? { accepted: true }
        : { accepted: false, reason: `${key.type} ${shown} is not the expected key` };
    },
  };
}

/** Accepts any key of any server and so protects from nobody in between. For throw-away test servers only. */
export function insecureAcceptAnyHostKey(log: Logger): CustomHostKeyVerifier {
  return {
    kind: 'custom',
    verify: async (key, hop) => {
      log.warning(`accepting the ${key.type} host key of ${hop.hostName} without any check`);
      return { accepted: true };
    },
  };
}
