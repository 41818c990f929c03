import { describeExit, type ExitStatus, sanitize } from '@viassh/core';
import type { LinkTerms } from '../carrier/packet-carrier.ts';
import type { FarLink } from '../far-ends/far-link.ts';
import { pppdWords } from '../far-ends/pppd-exit.ts';
import { describeAddress } from '../plan/parse-link-address.ts';
import type { LinkTraffic } from './link-switch.ts';

/** `tun0: 10.118.4.3 <-> 10.118.4.2, MTU 1500, by pppd of the far end` */
export function describeLink(device: string, { what }: Pick<FarLink, 'what'>, { addresses, mtu }: LinkTerms): string {
  const named = addresses.length === 0 ? 'no addresses' : addresses.map(describeAddress).join(', ');
  return `${device}: ${named}, MTU ${mtu}, by ${what}`;
}

/** What went over it so far. */
export function describeTraffic({ sent, received, dropped }: LinkTraffic): string {
  return `${sent} packets sent, ${received} received, ${dropped} dropped`;
}

/** How the program of the far end ended, where it says so: the words of pppd(8) for pppd's. */
export function describeFarEnd({ kind, what }: Pick<FarLink, 'kind' | 'what'>, exit: ExitStatus | undefined): string {
  const status = exit === undefined || exit.kind === 'missing' ? '' : ` with ${sanitize(describeExit(exit))}`;
  const words = exit !== undefined && kind === 'pppd' ? pppdWords(exit) : undefined;
  return `${what} has ended the link${status}${words === undefined ? '' : `: ${words}`}`;
}
