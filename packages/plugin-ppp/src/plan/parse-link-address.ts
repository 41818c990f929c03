import { ViasshError } from '@viassh/core';
import type { LinkAddress } from '../carrier/packet-carrier.ts';
import { fullPrefix, parseIp } from '../address/ip-address.ts';

/**
 * Reads `LOCAL:REMOTE` (IPv4, as pppd has it), `LOCAL,REMOTE` for either family, or `LOCAL/PREFIX`. LOCAL is the end of
 * this machine.
 *
 * @throws ViasshError OPTION_INVALID
 */
export function parseLinkAddress(text: string): LinkAddress {
  const [, local = '', remote] = /^([^,]+),([^,]+)$/.exec(text) ?? /^([\d.]+):([\d.]+)$/.exec(text) ?? [];
  if (remote !== undefined) {
    const [ours, theirs] = [parseIp(local), parseIp(remote)];
    if (ours === undefined || theirs === undefined || ours.family !== theirs.family || ours.text === theirs.text)
      throw noAddress(text);
    return { local: ours.text, remote: theirs.text, prefix: fullPrefix[ours.family] };
  }
  const [, address = '', bits] = /^([^/]+)(?:\/(\d{1,3}))?$/.exec(text) ?? [];
  const ours = parseIp(address);
  const full = ours === undefined ? 0 : fullPrefix[ours.family];
  const prefix = bits === undefined ? full : Number(bits);
  if (ours === undefined || prefix > full || prefix < 1) throw noAddress(text);
  return { local: ours.text, prefix };
}

/** The same link, seen from its other end; undefined where the other end has no address of its own. */
export function mirrored({ local, remote, prefix }: LinkAddress): LinkAddress | undefined {
  return remote === undefined ? undefined : { local: remote, remote: local, prefix };
}

/** For messages: `10.9.0.2 ⇄ 10.9.0.1`, `fd00::2/64`. */
export function describeAddress({ local, remote, prefix }: LinkAddress): string {
  return remote === undefined ? `${local}/${prefix}` : `${local} <-> ${remote}`;
}

/** 4 or 6. */
export function familyOf({ local }: Pick<LinkAddress, 'local'>): 4 | 6 {
  return local.includes(':') ? 6 : 4;
}

function noAddress(text: string): ViasshError {
  return new ViasshError('OPTION_INVALID', `--address: '${text}' is no address of a link`, {
    hint: 'write LOCAL:REMOTE (10.9.0.2:10.9.0.1), LOCAL,REMOTE (fd00::2,fd00::1) or LOCAL/PREFIX (10.9.0.2/24)',
  });
}
