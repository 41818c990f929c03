import { quoteCommand } from '@viassh/core';
import type { LinkAddress } from '../carrier/packet-carrier.ts';
import { familyOf } from '../plan/parse-link-address.ts';

/** What pppd there is told. */
export interface PppdTerms {
  readonly addresses: readonly LinkAddress[];
  readonly mtu: number | undefined;
  /** Undefined: it asks for no proof, which root alone may tell it. */
  readonly name: string | undefined;
}

/** pppd where a login shell of a plain user does not look for it. */
const findSbin = 'PATH=$PATH:/usr/sbin:/sbin:/usr/local/sbin';

/** The options that the far end's pppd gets: on the pipes of the session, in the foreground, without a route of its own. */
export function pppdOptions({ addresses, mtu, name }: PppdTerms): readonly string[] {
  const v4 = addresses.find((address) => familyOf(address) === 4);
  return [
    'notty',
    'nodetach',
    'nodefaultroute',
    'noccp',
    'novj',
    '+ipv6',
    ...(name === undefined ? ['noauth'] : ['auth', 'refuse-eap', 'remotename', name]),
    ...(mtu === undefined ? [] : ['mtu', String(mtu), 'mru', String(mtu)]),
    ...(v4 === undefined ? [] : [`${v4.remote ?? ''}:${v4.local}`]),
  ];
}

/** The same as a command for the shell of the far end. */
export function pppdCommand(terms: PppdTerms): string {
  return `${findSbin}; export PATH; exec ${quoteCommand(['pppd', ...pppdOptions(terms)])}`;
}
