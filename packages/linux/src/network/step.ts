import { isIP } from 'node:net';

/** One thing that is set because of a link, with all that is needed to take it back. Plain data: it is kept in the journal. */
export type Step =
  | { readonly kind: 'mtu'; readonly device: string; readonly mtu: number; readonly before: number }
  /** How the kernel makes link-local addresses of its own (`addrgenmode`). */
  | { readonly kind: 'own-addresses'; readonly device: string; readonly mode: string; readonly before: string }
  | { readonly kind: 'up'; readonly device: string }
  | {
      readonly kind: 'address';
      readonly device: string;
      readonly local: string;
      readonly remote?: string | undefined;
      readonly prefix: number;
    }
  | RouteStep
  | { readonly kind: 'dns'; readonly device: string; readonly way: DnsWay; readonly servers: readonly string[] }
  | { readonly kind: 'names'; readonly device: string; readonly lines: readonly string[] };

/** A route, or with `unreachable` the lack of one. */
export interface RouteStep {
  readonly kind: 'route';
  readonly to: string;
  readonly unreachable?: true | undefined;
  readonly device?: string | undefined;
  readonly via?: string | undefined;
  readonly metric?: number | undefined;
}

/** Who is told of name servers: systemd-resolved, resolvconf, or the file. */
export type DnsWay = 'resolved' | 'resolvconf' | 'file';

/** Ours, in the table of routing protocols (iproute2's rt_protos): `ip route show proto 118` lists what viassh has set. */
export const ROUTE_PROTOCOL = 118;

/** Steps of the same key are the same. */
export function keyOf(step: Step): string {
  return JSON.stringify(step);
}

/** Words for `ip -batch` that set it; undefined: it is none of ip's. */
export function ipWords(step: Step): string | undefined {
  switch (step.kind) {
    case 'mtu':
      return `link set dev ${step.device} mtu ${step.mtu}`;
    case 'own-addresses':
      return `link set dev ${step.device} addrgenmode ${step.mode}`;
    case 'up':
      return `link set dev ${step.device} up`;
    case 'address':
      return `address add ${addressWords(step)}${isIP(step.local) === 6 ? ' nodad' : ''}`;
    case 'route':
      return `route add ${routeWords(step)}${step.via === undefined ? '' : ' onlink'}`;
    case 'dns':
    case 'names':
      break;
  }
  return undefined;
}

/** Words for `ip -batch` that take it back. */
export function ipUndoWords(step: Step): string | undefined {
  switch (step.kind) {
    case 'mtu':
      return `link set dev ${step.device} mtu ${step.before}`;
    case 'own-addresses':
      return `link set dev ${step.device} addrgenmode ${step.before}`;
    case 'up':
      return `link set dev ${step.device} down`;
    case 'address':
      return `address del ${addressWords(step)}`;
    case 'route':
      return `route del ${routeWords(step)}`;
    case 'dns':
    case 'names':
      break;
  }
  return undefined;
}

function addressWords({ device, local, remote, prefix }: Extract<Step, { kind: 'address' }>): string {
  return remote === undefined ? `${local}/${prefix} dev ${device}` : `${local} peer ${remote}/${prefix} dev ${device}`;
}

function routeWords({ to, unreachable, device, via, metric }: RouteStep): string {
  return [
    unreachable === true ? 'unreachable' : 'unicast',
    to,
    ...(via === undefined ? [] : ['via', via]),
    ...(device === undefined ? [] : ['dev', device]),
    ...(metric === undefined ? [] : ['metric', metric]),
    'proto',
    ROUTE_PROTOCOL,
  ].join(' ');
}
