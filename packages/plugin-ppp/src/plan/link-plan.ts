import { type TunMode, ViasshError } from '@viassh/core';
import type { LinkAddress } from '../carrier/packet-carrier.ts';
import { fullPrefix, parseIp } from '../address/ip-address.ts';
import type { LinkOptionValues } from './link-options.ts';
import { parseLinkAddress } from './parse-link-address.ts';

/** What the other end of a link is made of, in the order in which `auto` tries them. */
export const farKinds = ['viassh', 'tun', 'pppd', 'slirp'] as const;

/** One of {@link farKinds}. */
export type FarKind = (typeof farKinds)[number];

/** Where nobody asks for another MTU: what goes on from the far end fits into the next network, too. */
export const USUAL_MTU = 1500;

/** What was asked for, read and checked. */
export interface LinkPlan {
  /** Which other ends may be tried, in this order. */
  readonly far: readonly FarKind[];
  readonly mode: TunMode;
  /** None: what the far end says, or the usual ones. */
  readonly addresses: readonly LinkAddress[];
  /** Networks as `10.0.0.0/8`, or `default`. */
  readonly routes: readonly string[];
  /** Addresses and host names that never go by the link. */
  readonly keep: readonly string[];
  readonly dns: boolean;
  readonly nameServers: readonly string[];
  readonly mtu: number | undefined;
  readonly onDown: 'block' | 'pass';
  readonly device: string | undefined;
  readonly unit: number | undefined;
  /** For the shell of the far end. */
  readonly command: string | undefined;
  readonly name: string | undefined;
}

/** @throws ViasshError OPTION_INVALID */
export function planOf(options: LinkOptionValues): LinkPlan {
  const { ethernet, serve, stdio, onDown, words } = options;
  if (serve && stdio) throw invalid('--serve and --stdio are two things', 'give one of them');
  if (onDown !== 'block' && onDown !== 'pass') throw invalid(`--on-down: '${onDown}' is no policy`, 'block or pass');
  if (options.command !== undefined && words.length > 0)
    throw invalid('--command and the words after -- are two commands', 'give one of them');
  const command = options.command ?? (words.length > 0 ? words.join(' ') : undefined);
  const far = farOf(options.far);
  const [only] = far;
  if (far.length > 1 && command !== undefined)
    throw invalid('a command for the far end is given, and not what it is', 'add --far pppd, slirp or viassh');
  if (only === 'tun' && command !== undefined) throw invalid('--far tun runs no command', 'leave the command away');
  if (ethernet && (only === 'pppd' || only === 'slirp'))
    throw invalid(`${only} carries no Ethernet frames`, '--far tun or viassh does');
  if (ethernet && stdio) throw invalid('PPP carries no Ethernet frames', 'leave --ethernet away');
  if (options.unit !== undefined && only !== 'tun') throw invalid('--unit is for --far tun', 'add --far tun');
  if (options.secretFile !== undefined && options.name === undefined)
    throw invalid('a secret without --name says nothing', 'add --name, as it stands in pap-secrets or chap-secrets');
  if (options.device !== undefined) checkDevice(options.device);
  return {
    far: ethernet ? far.filter((kind) => kind === 'viassh' || kind === 'tun') : far,
    mode: ethernet ? 'ethernet' : 'point-to-point',
    addresses: listed(options.address).map((text) => parseLinkAddress(text)),
    routes: listed(options.route).map(routeOf),
    keep: listed(options.keepRoute).map(hostOf),
    dns: options.dns,
    nameServers: listed(options.nameServer).map(nameServerOf),
    mtu: options.mtu,
    onDown,
    device: options.device,
    unit: options.unit,
    command,
    name: options.name,
  };
}

/** The networks that packets of the far end may come from; undefined: from anywhere, for our own address. */
export function sourcesOf({ routes }: Pick<LinkPlan, 'routes'>): readonly string[] | undefined {
  if (routes.length === 0) return undefined;
  return routes.flatMap((route) => (route === 'default' ? ['0.0.0.0/0', '::/0'] : [route]));
}

function farOf(text: string): readonly FarKind[] {
  if (text === 'auto') return farKinds;
  const kind = farKinds.find((known) => known === text);
  if (kind !== undefined) return [kind];
  throw invalid(`--far: there is no '${text}'`, `one of auto, ${farKinds.join(', ')}`);
}

function routeOf(text: string): string {
  if (text === 'default') return text;
  const [, address = '', bits] = /^([^/]+)(?:\/(\d{1,3}))?$/.exec(text) ?? [];
  const ip = parseIp(address);
  const full = ip === undefined ? 0 : fullPrefix[ip.family];
  const prefix = bits === undefined ? full : Number(bits);
  if (ip === undefined || prefix > full)
    throw invalid(`--route: '${text}' is no network`, '10.0.0.0/8, fd00::/8, 192.0.2.1 or default');
  return `${ip.text}/${prefix}`;
}

function hostOf(text: string): string {
  const ip = parseIp(text);
  if (ip === undefined && !/^(?=.*[a-z_])[\w.-]+$/i.test(text))
    throw invalid(`--keep-route: '${text}' is neither an address nor a name`, '192.0.2.1, fd00::1 or gate.example.org');
  return ip?.text ?? text;
}

function nameServerOf(text: string): string {
  const ip = parseIp(text);
  if (ip === undefined) throw invalid(`--name-server: '${text}' is no address`, '10.0.0.53 or fd00::53');
  return ip.text;
}

/** As the kernel takes them (dev_valid_name), and nothing that a program could take for an option. */
function checkDevice(name: string): void {
  if (/^[\w][\w.-]{0,14}$/.test(name)) return;
  throw invalid(
    `--device: '${name}' is no name for a device`,
    'up to 15 letters, digits, dots, dashes and underscores',
  );
}

function listed(values: readonly string[]): readonly string[] {
  return values.flatMap((value) => value.split(/\s+|(?<=\/\d+),|(?<=default),/)).filter((value) => value !== '');
}

function invalid(message: string, hint: string): ViasshError {
  return new ViasshError('OPTION_INVALID', message, { hint });
}
