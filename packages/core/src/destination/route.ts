import { ViasshError } from '../errors/viassh-error.ts';
import type { ConfigSource } from './config-source.ts';
import { type Destination, formatDestination, parseDestination } from './destination.ts';
import { parseProxyAddress, type ProxyAddress } from './proxy-address.ts';
import type { ResolvedDestination } from './resolved-destination.ts';
import type { TypedOptions } from './typed-options.ts';

/** The chain of hops to a destination: dialled from the first to the last, which is the destination itself. */
export interface Route {
  /** What stands before the first hop: it is asked to dial it. */
  readonly proxy?: ProxyAddress | undefined;
  readonly hops: readonly [...ResolvedDestination[], ResolvedDestination];
}

const MOST_HOPS = 8;
const DEFAULT_KEEPALIVE = 15; // seconds

/**
 * Resolves a destination and every jump host before it. As with ssh, `-F` reaches the jump hosts and the other typed
 * options do not: each hop lives by its own configuration.
 *
 * @throws ViasshError what the ConfigSource throws, and CONFIG_INVALID for a loop of jump hosts.
 */
export async function resolveRoute(
  source: ConfigSource,
  destination: Destination,
  typed: TypedOptions,
  signal?: AbortSignal,
): Promise<Route> {
  const last = await source.resolve(destination, typed, signal);
  const hops: [...ResolvedDestination[], ResolvedDestination] = [last];
  const hopOptions: TypedOptions = { configFile: typed.configFile };
  const throughHop: TypedOptions = { ...hopOptions, options: ['ProxyCommand=none'] }; // overrules ProxyJump lines as well
  let jumps = last.proxyJump;
  while (jumps.length > 0) {
    // ssh dials `-J a,b` as: a (with its own ProxyJump, if any), then b through a. All but the first ignore their own ProxyJump and ProxyCommand.
    const chain = await Promise.all(
      jumps.map((jump, index) => source.resolve(parseDestination(jump), index === 0 ? hopOptions : throughHop, signal)),
    );
    hops.unshift(...chain);
    if (hops.length > MOST_HOPS) {
      throw new ViasshError(
        'CONFIG_INVALID',
        `the jump hosts of ${formatDestination(destination)} form a chain of more than ${MOST_HOPS}`,
        {
          hint: 'look for a loop of ProxyJump lines in ssh_config',
        },
      );
    }
    jumps = chain[0]?.proxyJump ?? [];
  }
  return withProxy(hops, typed.proxy);
}

/** The last hop: what the user asked for. */
export function destinationOf(route: Route): ResolvedDestination {
  return route.hops[route.hops.length - 1] as ResolvedDestination;
}

/**
 * The route with keepalives on its destination every `seconds`, where its configuration has none and `-o` says nothing
 * of them; and with a silence noticed after ServerAliveInterval times ServerAliveCountMax, as ssh_config(5) has it. What
 * ssh and ssh2 make of these two is one interval more: they ask once more before they count.
 */
export function withKeepalive(route: Route, seconds: number): Route {
  const last = destinationOf(route);
  const { options = [] } = last.typed;
  const { serverAliveInterval: set, serverAliveCountMax: count } = last;
  if (set === 0 && keepaliveIsTyped(last)) return route;
  const interval = set === 0 ? [`ServerAliveInterval=${seconds}`] : [];
  const fewer = count > 1 ? [`ServerAliveCountMax=${count - 1}`] : []; // with none it would end without having asked
  if (interval.length + fewer.length === 0) return route;
  const kept: ResolvedDestination = {
    ...last,
    typed: { ...last.typed, options: [...fewer, ...options, ...interval] },
    serverAliveInterval: set === 0 ? seconds : set,
    serverAliveCountMax: fewer.length === 0 ? count : count - 1,
  };
  return { ...route, hops: [...route.hops.slice(0, -1), kept] };
}

/**
 * Seconds between the keepalives of a hop, 0 for none. Where nothing is configured they come all the same, as a wire that
 * has died would else never be noticed; `-o ServerAliveInterval=0` alone means 0. What ssh_config has cannot be told
 * apart: for `ssh -G` a 0 that is written there and one that is not are the same.
 */
export function keepaliveSeconds(hop: Pick<ResolvedDestination, 'serverAliveInterval' | 'typed'>): number {
  return hop.serverAliveInterval > 0 || keepaliveIsTyped(hop) ? hop.serverAliveInterval : DEFAULT_KEEPALIVE;
}

function keepaliveIsTyped({ typed: { options = [] } }: Pick<ResolvedDestination, 'typed'>): boolean {
  return options.some((option) => /^\s*serveraliveinterval\b/i.test(option));
}

/** @throws ViasshError OPTION_INVALID when the first hop has a ProxyCommand, which is another way to the same place */
function withProxy(hops: Route['hops'], proxy: string | undefined): Route {
  if (proxy === undefined) return { hops };
  const [first] = hops;
  if (first.proxyCommand !== undefined) {
    throw new ViasshError(
      'OPTION_INVALID',
      `a proxy is given, and ${first.hostName} has a ProxyCommand: only one can be`,
      {
        hint: 'leave the proxy away (--proxy none), or switch the other off with -o ProxyCommand=none',
      },
    );
  }
  return { hops, proxy: parseProxyAddress(proxy) };
}
