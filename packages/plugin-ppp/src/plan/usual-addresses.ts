import { createHash } from 'node:crypto';
import type { LinkAddress } from '../carrier/packet-carrier.ts';

/**
 * The addresses of a link for which nobody has named any: always the same for the same peer and device, so that firewalls
 * and logs know them, and seldom those of another link. IPv4 is out of 10.118.0.0/16, IPv6 out of a unique local prefix
 * (RFC 4193).
 */
export function usualAddresses(peer: string, device: string | undefined): readonly LinkAddress[] {
  const hash = createHash('sha256')
    .update(`${peer}\0${device ?? ''}`)
    .digest();
  const third = hash.readUInt8(0);
  const even = hash.readUInt8(1) & 0xfe;
  const net = `fd76:6961:7373:${hash.readUInt16BE(2).toString(16)}`;
  return [
    { local: `10.118.${third}.${even + 1}`, remote: `10.118.${third}.${even}`, prefix: 32 },
    { local: `${net}::2`, remote: `${net}::1`, prefix: 128 },
  ];
}
