import { lookup } from 'node:dns/promises';
import { type ConnectionInfo, ViasshError } from '@viassh/core';
import { parseIp } from '../address/ip-address.ts';

/** Milliseconds for a name: that of a host behind a ProxyCommand may be known to nobody here. */
const LOOKUP_MS = 3000;
const MOST_ADDRESSES = 16;

/** What must not go by the link, and how it is found while the name servers of the link, or none, can be asked. */
export interface FoundWays {
  readonly keep: readonly string[];
  readonly names: readonly { readonly name: string; readonly address: string }[];
}

/** Finds the addresses of hosts that are reached beside a link. What was found once is good as long as nothing newer is. */
export class HostWays {
  readonly #known = new Map<string, readonly string[]>();

  /**
   * For `hosts`, addresses or names, and for the first hop of `connection`: of its addresses, those of `own`, which are
   * those of our connections.
   *
   * @throws ViasshError OPTION_INVALID for a name among `hosts` that nobody knows
   */
  async find(
    hosts: readonly string[],
    connection: Pick<ConnectionInfo, 'hops'> | undefined,
    own: readonly string[],
  ): Promise<FoundWays> {
    const keep = [...own];
    const names: { name: string; address: string }[] = [];
    for (const host of hosts) {
      if (parseIp(host) !== undefined) {
        keep.push(host);
        continue;
      }
      const addresses = await this.#addressesOf(host);
      if (addresses.length === 0)
        throw new ViasshError('OPTION_INVALID', `--keep-route: no address of '${host}' can be found`, {
          hint: 'give its address',
        });
      keep.push(...addresses);
      names.push(...addresses.map((address) => ({ name: host, address })));
    }
    const first = firstHostOf(connection);
    if (first === undefined || own.length === 0 || hosts.includes(first)) return { keep, names };
    const ours = new Set(own.map((address) => parseIp(address)?.text));
    for (const address of await this.#addressesOf(first)) if (ours.has(address)) names.push({ name: first, address });
    return { keep, names };
  }

  async #addressesOf(name: string): Promise<readonly string[]> {
    const found = await resolve(name);
    if (found.length > 0) this.#known.set(name, found);
    return this.#known.get(name) ?? [];
  }
}

/** The name that was dialled; undefined for an address. */
function firstHostOf(connection: Pick<ConnectionInfo, 'hops'> | undefined): string | undefined {
  const [, host = ''] = /^(?:.*@)?([\w.-]+)(?::\d+)?$/.exec(connection?.hops[0]?.peer ?? '') ?? [];
  return host === '' || parseIp(host) !== undefined ? undefined : host;
}

async function resolve(name: string): Promise<readonly string[]> {
  let timer: NodeJS.Timeout | undefined;
  const late = new Promise<[]>((done) => {
    timer = setTimeout(() => done([]), LOOKUP_MS).unref();
  });
  const found = lookup(name, { all: true }).catch(() => []);
  const addresses = await Promise.race([found, late]);
  clearTimeout(timer);
  return addresses.slice(0, MOST_ADDRESSES).flatMap(({ address }) => parseIp(address)?.text ?? []);
}
