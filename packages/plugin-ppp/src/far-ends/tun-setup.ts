import { quoteWord } from '@viassh/core';
import type { LinkAddress } from '../carrier/packet-carrier.ts';
import { mirrored } from '../plan/parse-link-address.ts';

/** Says the device and the result on one line, which no start-up file of a shell prints by chance. */
const MARK = 'viassh-tun';

/**
 * A script for the far end's sh that gives the device of our tun channel its addresses: sshd names it in SSH_TUNNEL of
 * sessions that are opened after the channel. By root itself, or by sudo where that asks nothing.
 */
export function tunSetupCommand(addresses: readonly LinkAddress[], mtu: number): string {
  const steps = [
    `link set dev "$dev" mtu ${mtu} up`,
    ...addresses
      .flatMap((address) => mirrored(address) ?? [])
      .map(
        ({ local, remote }) =>
          `address replace ${local} peer ${remote} dev "$dev"${local.includes(':') ? ' nodad' : ''}`,
      ),
  ];
  const script = [
    'PATH=$PATH:/usr/sbin:/sbin; export PATH',
    'dev=$SSH_TUNNEL',
    `if [ -z "$dev" ]; then echo ${MARK} none; exit 1; fi`,
    `if ! command -v ip >/dev/null; then echo ${MARK} "$dev" no-ip; exit 1; fi`,
    'run=; [ "$(id -u)" = 0 ] || run="sudo -n"',
    ...steps.map((step) => `$run ip ${step} || { echo ${MARK} "$dev" failed; exit 1; }`),
    `echo ${MARK} "$dev" ok`,
  ].join('\n');
  return `exec sh -c ${quoteWord(script)}`;
}

/** What the script has found. */
export type TunSetupResult =
  /** The session has no SSH_TUNNEL: a forced command, or no OpenSSH. */
  { readonly kind: 'unknown' } | { readonly kind: 'ok' | 'failed' | 'no-ip'; readonly device: string };

/** Reads what the script printed. */
export function readTunSetup(stdout: string): TunSetupResult {
  const [, device, kind] = new RegExp(`^${MARK} (\\S+)(?: (ok|failed|no-ip))?$`, 'm').exec(stdout) ?? [];
  if (device === undefined || kind === undefined) return { kind: 'unknown' };
  return { kind: kind as 'ok' | 'failed' | 'no-ip', device };
}
