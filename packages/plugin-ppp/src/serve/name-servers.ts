import { readFile } from 'node:fs/promises';
import { parseIp } from '../address/ip-address.ts';

/** The name servers of this machine that others can reach, at the most three (resolv.conf(5)); none where nobody says. */
export async function ownNameServers(file = '/etc/resolv.conf'): Promise<readonly string[]> {
  const text = await readFile(file, 'utf8').catch(() => '');
  return [...text.matchAll(/^\s*nameserver\s+(\S+)/gm)]
    .flatMap(([, address = '']) => parseIp(address)?.text ?? [])
    .filter((address) => !/^(?:127\.|::1$|fe80:)/.test(address))
    .slice(0, 3);
}
