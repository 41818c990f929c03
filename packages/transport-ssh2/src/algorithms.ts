import { type ResolvedDestination, ViasshError } from '@viassh/core';
import type { NegotiatedAlgorithms } from 'ssh2';
import { settingUnsupported } from './unsupported-settings.ts';

/** Names as on the wire, most wanted first. */
export interface AlgorithmLists {
  readonly ciphers: readonly string[];
  readonly macs: readonly string[];
  readonly kex: readonly string[];
  readonly hostKeys: readonly string[];
}

/** What is offered where the configuration says nothing (no ssh binary to tell its defaults). */
const defaults: AlgorithmLists = {
  ciphers: [
    'aes128-gcm@openssh.com',
    'aes256-gcm@openssh.com',
    'aes128-ctr',
    'aes192-ctr',
    'aes256-ctr',
    'chacha20-poly1305@openssh.com',
  ],
  macs: ['hmac-sha2-256-etm@openssh.com', 'hmac-sha2-512-etm@openssh.com', 'hmac-sha2-256', 'hmac-sha2-512'],
  kex: [
    'curve25519-sha256',
    'curve25519-sha256@libssh.org',
    'ecdh-sha2-nistp256',
    'ecdh-sha2-nistp384',
    'ecdh-sha2-nistp521',
    'diffie-hellman-group-exchange-sha256',
    'diffie-hellman-group16-sha512',
    'diffie-hellman-group18-sha512',
    'diffie-hellman-group14-sha256',
  ],
  hostKeys: [
    'ssh-ed25519',
    'ecdsa-sha2-nistp256',
    'ecdsa-sha2-nistp384',
    'ecdsa-sha2-nistp521',
    'rsa-sha2-512',
    'rsa-sha2-256',
  ],
};

/** Fast and unconditional first; those that need strict kex are asked for last. */
const cipherClasses: readonly RegExp[] = [/-gcm(@|$)/, /-ctr$/, /^chacha20-/, /./];

/**
 * What to offer for a hop: its configured lists without what ssh2 cannot do (post-quantum kex, certificates, `sk-*`),
 * AES-GCM first, and host key types that are known for the name first, so that a known key is what the server shows.
 *
 * @throws ViasshError SETTING_UNSUPPORTED when nothing of a list remains.
 */
export function chooseAlgorithms(
  hop: Pick<ResolvedDestination, 'hostName' | 'ciphers' | 'macs' | 'kexAlgorithms' | 'hostKeyAlgorithms'>,
  supported: AlgorithmLists,
  knownTypes: readonly string[],
): AlgorithmLists {
  const pick = (
    setting: string,
    configured: readonly string[],
    fallback: readonly string[],
    able: readonly string[],
  ): string[] => {
    const wanted = amended(configured, fallback);
    const chosen = wanted.filter((name) => able.includes(name));
    if (chosen.length === 0) throw settingUnsupported(hop, `${setting} ${wanted.join(',')}`);
    return chosen;
  };
  const hostKeys = pick('HostKeyAlgorithms', hop.hostKeyAlgorithms, defaults.hostKeys, supported.hostKeys);
  const known = knownTypes.flatMap((type) =>
    type === 'ssh-rsa' ? ['rsa-sha2-512', 'rsa-sha2-256', 'ssh-rsa'] : [type],
  );
  const ciphers = pick('Ciphers', hop.ciphers, defaults.ciphers, supported.ciphers);
  return {
    ciphers: cipherClasses.flatMap((own, index) =>
      ciphers.filter((name) => own.test(name) && !cipherClasses.slice(0, index).some((earlier) => earlier.test(name))),
    ),
    macs: pick('MACs', hop.macs, defaults.macs, supported.macs),
    kex: pick('KexAlgorithms', hop.kexAlgorithms, defaults.kex, supported.kex),
    hostKeys: [...known.filter((name) => hostKeys.includes(name)), ...hostKeys.filter((name) => !known.includes(name))],
  };
}

/**
 * Refuses chacha20-poly1305 and CBC with encrypt-then-MAC when strict key exchange was not agreed: packets could have
 * been cut out of the start unseen (CVE-2023-48795).
 *
 * @throws ViasshError NEGOTIATION_FAILED
 */
export function refuseUnsafeNegotiation(
  hop: Pick<ResolvedDestination, 'hostName'>,
  { cs, sc }: Pick<NegotiatedAlgorithms, 'cs' | 'sc'>,
  strict: boolean,
): void {
  const unsafe = [cs, sc].find(
    ({ cipher, mac }) => cipher.startsWith('chacha20-') || (cipher.endsWith('-cbc') && mac.includes('-etm@')),
  );
  if (strict || unsafe === undefined) return;
  throw new ViasshError(
    'NEGOTIATION_FAILED',
    `${hop.hostName} offers no cipher that is safe without strict key exchange (it took ${unsafe.cipher})`,
    {
      hint: 'its ssh server should be updated, or allow AES-GCM or AES-CTR ciphers',
    },
  );
}

/** `+`, `-` and `^` before a list, as ssh_config(5) has them; `ssh -G` has resolved them already. */
function amended(configured: readonly string[], fallback: readonly string[]): readonly string[] {
  const [first = '', ...rest] = configured;
  if (first === '') return fallback;
  const names = [first.replace(/^[+^-]/, ''), ...rest];
  if (first.startsWith('+')) return [...fallback, ...names];
  if (first.startsWith('^')) return [...names, ...fallback.filter((name) => !names.includes(name))];
  if (first.startsWith('-')) return fallback.filter((name) => !names.includes(name));
  return names;
}
