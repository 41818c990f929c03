import { type TunMode, ViasshError } from '@viassh/core';
import { fullPrefix, parseIp } from '../address/ip-address.ts';
import { LARGEST_PACKET } from './frame-format.ts';
import type { LinkAddress, LinkTerms } from './packet-carrier.ts';

/** What one end knows of the addresses of one family: its own, the other end's, or both. Whoever knows tells. */
export interface OfferedAddress {
  readonly local?: string | undefined;
  readonly remote?: string | undefined;
  /** Bits, for whoever tells it; default: 32 or 128. */
  readonly prefix?: number | undefined;
  /** Nobody has asked for it: it gives way to what the other end says of the family. */
  readonly usual?: boolean | undefined;
}

/** What one end of a link of our own frames says to begin with. */
export interface FrameOffer {
  /** They must differ: what comes back is our own. */
  readonly end: 'near' | 'far';
  readonly mode: TunMode;
  /** It could have a `virtio_net_hdr` before each packet. */
  readonly vnetHeader: boolean;
  /** The largest IP packet that it takes, bytes, 576 to 65535. */
  readonly mtu: number;
  /** At the most one for each family. */
  readonly addresses: readonly OfferedAddress[];
  /** Name servers, for the other end. */
  readonly dns: readonly string[];
}

/** What both ends have agreed on. */
export interface FrameAgreement extends LinkTerms {
  readonly vnetHeader: boolean;
}

const SMALLEST_MTU = 576;

/** The offer in the hello of the other end; undefined when it is none. Nothing in it is trusted: addresses go to programs of ours. */
export function parseOffer(text: string): FrameOffer | undefined {
  let said: Partial<Record<keyof FrameOffer, unknown>>;
  try {
    const parsed: unknown = JSON.parse(text);
    if (typeof parsed !== 'object' || parsed === null) return undefined;
    said = parsed;
  } catch {
    return undefined;
  }
  const { end, mode, vnetHeader, mtu, addresses, dns } = said;
  if (end !== 'near' && end !== 'far') return undefined;
  if (mode !== 'point-to-point' && mode !== 'ethernet') return undefined;
  if (typeof vnetHeader !== 'boolean') return undefined;
  if (!isWhole(mtu, SMALLEST_MTU, LARGEST_PACKET)) return undefined;
  if (!Array.isArray(addresses) || addresses.length > 2 || !addresses.every(isOfferedAddress)) return undefined;
  if (!Array.isArray(dns) || dns.length > 8 || !dns.every(isAddress)) return undefined;
  return { end, mode, vnetHeader, mtu, addresses: addresses.map(plain), dns: dns.map(canonical) };
}

/** Nothing but what is known, addresses in the form that everybody reads alike. */
function plain({ local, remote, prefix }: OfferedAddress): OfferedAddress {
  return { local: local && canonical(local), remote: remote && canonical(remote), prefix };
}

/**
 * What two offers come to, seen from the end of the first.
 *
 * @throws ViasshError PPP_LOOPED when the second is that of the same end, PPP_FAILED when they contradict each other.
 */
export function agree(own: FrameOffer, theirs: FrameOffer): FrameAgreement {
  if (own.end === theirs.end) {
    throw new ViasshError(
      'PPP_LOOPED',
      'what answers on the link sends back what we send, or is the same end as we are',
      {
        hint: 'one end is `viassh ppp DEST`, the other `viassh ppp --serve`',
      },
    );
  }
  if (own.mode !== theirs.mode) throw contradiction('carries', own.mode, theirs.mode);
  const addresses = ([4, 6] as const).flatMap((family) => addressOf(family, own, theirs));
  return {
    mtu: Math.min(own.mtu, theirs.mtu),
    vnetHeader: own.vnetHeader && theirs.vnetHeader,
    addresses,
    dns: theirs.dns,
  };
}

function addressOf(family: 4 | 6, own: FrameOffer, theirs: FrameOffer): LinkAddress[] {
  const [first, second] = [own, theirs].map((offer) =>
    offer.addresses.find((offered) => offeredFamily(offered) === family),
  );
  const ours = givesWay(first, second) ? undefined : first;
  const others = givesWay(second, first) ? undefined : second;
  const local = same('has the near address', ours?.local, others?.remote);
  const remote = same('has the far address', ours?.remote, others?.local);
  if (local === undefined) return [];
  // A wide one would be a route through the link, of which nobody here knows: the other end does not set ours.
  const prefix = ours?.prefix ?? fullPrefix[family];
  return [{ local, remote, prefix }];
}

function givesWay(one: OfferedAddress | undefined, other: OfferedAddress | undefined): boolean {
  return one?.usual === true && other !== undefined && other.usual !== true;
}

function same(what: string, ours: string | undefined, theirs: string | undefined): string | undefined {
  const own = ours && canonical(ours);
  if (own !== undefined && theirs !== undefined && own !== theirs) throw contradiction(what, own, theirs);
  return own ?? theirs;
}

function contradiction(what: string, ours: string, theirs: string): ViasshError {
  return new ViasshError('PPP_FAILED', `for this end the link ${what} ${ours}, for the other ${theirs}`, {
    hint: 'leave it out at one end, or say the same at both',
  });
}

function offeredFamily({ local, remote }: OfferedAddress): 4 | 6 | undefined {
  return familyOf(local ?? remote ?? '');
}

function isOfferedAddress(offered: unknown): offered is OfferedAddress {
  if (typeof offered !== 'object' || offered === null) return false;
  const { local, remote, prefix, usual } = offered as Record<keyof OfferedAddress, unknown>;
  if (usual !== undefined && typeof usual !== 'boolean') return false;
  const texts = [local, remote].filter((text) => text !== undefined);
  if (texts.length === 0 || !texts.every(isAddress)) return false;
  const families = texts.map(familyOf);
  if (families.some((family) => family !== families[0])) return false;
  return prefix === undefined || isWhole(prefix, 0, families[0] === 4 ? 32 : 128);
}

function familyOf(text: string): 4 | 6 | undefined {
  return parseIp(text)?.family;
}

/** The one form of an address that is written in many. */
function canonical(address: string): string {
  return parseIp(address)?.text ?? address;
}

function isAddress(text: unknown): text is string {
  return typeof text === 'string' && familyOf(text) !== undefined;
}

function isWhole(number: unknown, least: number, most: number): number is number {
  return Number.isInteger(number) && (number as number) >= least && (number as number) <= most;
}
