import type { IpProgram, IpRoute } from './ip-program.ts';
import { contains, type Prefix, parsePrefix, widthOf } from './prefix.ts';
import { ROUTE_PROTOCOL } from './step.ts';

/** Where packets for an address go. */
export interface Way {
  readonly device: string;
  readonly via?: string | undefined;
}

/**
 * The way to `address` that is none of a link of ours; `here`: it is this machine's own; undefined: there is none. The kernel
 * is asked; when its answer would be the link itself, or what was kept before, the main table decides without them.
 */
export async function wayBeside(ip: IpProgram, address: string, device: string): Promise<Way | 'here' | undefined> {
  const [answer] = (await ip.ask<IpRoute[]>('route', 'get', address)) ?? [];
  if (answer?.type === 'local') return 'here';
  // For IPv4 the answer does not say whose route it is; the one that was matched does.
  const [match] = (await ip.ask<IpRoute[]>('route', 'get', 'fibmatch', address)) ?? [];
  const ours = answer === undefined || answer.dev === device || (match !== undefined && isKept(match));
  if (!ours && answer.type !== 'unreachable') return wayOf(answer);
  const target = parsePrefix(address);
  const table = (await ip.ask<IpRoute[]>(`-${target.family}`, 'route', 'show', 'table', 'main')) ?? [];
  const [best] = table
    .filter((route) => route.dev !== device && !isKept(route) && usable(route))
    .map((route) => ({ route, prefix: prefixOf(route, target.family) }))
    .filter(({ prefix }) => contains(prefix, target))
    .toSorted((a, b) => b.prefix.length - a.prefix.length || (a.route.metric ?? 0) - (b.route.metric ?? 0));
  return best === undefined ? undefined : wayOf(best.route);
}

/** One that was set to keep a way, and is no way by itself; what leads into another link is one. */
function isKept({ protocol, metric = 0 }: IpRoute): boolean {
  return protocol === String(ROUTE_PROTOCOL) && metric >= 3_999_000_000;
}

function usable({ type, dev, flags }: IpRoute): boolean {
  return (type === undefined || type === 'unicast') && dev !== undefined && flags?.includes('linkdown') !== true;
}

/** As `ip` shows it: `default` for all. */
export function prefixOf({ dst }: IpRoute, family: 4 | 6): Prefix {
  return dst === 'default'
    ? { family, first: 0n, length: 0 }
    : parsePrefix(dst.includes('/') ? dst : `${dst}/${widthOf(family)}`);
}

function wayOf({ dev, gateway, via }: IpRoute): Way | undefined {
  return dev === undefined ? undefined : { device: dev, via: gateway ?? via?.host };
}
