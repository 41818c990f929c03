import { isIP } from 'node:net';
import { ViasshError } from '@viassh/core';
import type { IpAddresses, IpLink } from './ip-program.ts';
import type { LinkPlan, PlannedAddress } from './link-network.ts';
import { canonicalAddress, formatPrefix, halves, type Prefix, parsePrefix, widthOf } from './prefix.ts';
import { type DnsWay, keyOf, type RouteStep, type Step } from './step.ts';

/** A metric that any route of others beats, and different for each device, so that links do not share routes. */
const WORST = 4_000_000_000;
/** Kept ways beat the link's blocking routes, and what stands behind them beats the link. */
const KEPT = WORST - 1_000_000;
const BEHIND_KEPT = WORST - 500_000;

/** What the device is like before us. */
export interface DeviceState {
  readonly link: IpLink;
  readonly addresses: IpAddresses['addr_info'];
  /** The kernel gives it IPv6 settings. */
  readonly ipv6: boolean;
}

/**
 * What of a plan the device itself needs, in order. `own` is what was set for this link before, and is kept as it is where the
 * plan still wants it; what somebody else has set already is not in it.
 */
export function deviceSteps(plan: LinkPlan, { link, addresses, ipv6 }: DeviceState, own: readonly Step[]): Step[] {
  const device = plan.device;
  const steps: Step[] = [];
  const mtu = own.find((step) => step.kind === 'mtu')?.before ?? link.mtu;
  if (plan.mtu !== undefined && plan.mtu !== mtu) steps.push({ kind: 'mtu', device, mtu: plan.mtu, before: mtu });
  const raised = !link.flags.includes('UP') || own.some(({ kind }) => kind === 'up');
  // Between two ends the addresses are agreed on: the kernel's own, which it makes as the device goes up, would talk to nobody.
  const mode = own.find((step) => step.kind === 'own-addresses')?.before ?? link.inet6_addr_gen_mode;
  if (raised && plan.mode === 'point-to-point' && ipv6 && mode !== undefined && mode !== 'none')
    steps.push({ kind: 'own-addresses', device, mode: 'none', before: mode });
  // Before its addresses: as a device goes up, Linux now and then loses the way to the other end of an IPv6 address.
  if (raised) steps.push({ kind: 'up', device });
  const ownKeys = new Set(own.map(keyOf));
  for (const { local, remote, prefix } of plan.addresses) {
    // On an Ethernet the other end is reached by the network that both are in, where there is one.
    const whole = prefix === widthOf(familyOf(local));
    const peer = plan.mode === 'point-to-point' || whole ? remote : undefined;
    const step: Step = { kind: 'address', device, local, remote: peer, prefix };
    const there = addresses.some(
      (info) =>
        info.local !== undefined &&
        same(info.local, local) &&
        info.prefixlen === prefix &&
        same(info.address ?? info.local, peer ?? local),
    );
    if (!there || ownKeys.has(keyOf(step))) steps.push(step);
  }
  return steps;
}

/** Routes into the device, the best that there are for their networks. @throws ViasshError OPTION_INVALID */
export function linkRoutes(plan: LinkPlan): RouteStep[] {
  return plannedPrefixes(plan).flatMap(({ prefix, gateway }) =>
    gateway === null ? [] : [{ kind: 'route' as const, to: formatPrefix(prefix), device: plan.device, via: gateway }],
  );
}

/** What stands behind them with `block`: there is no other way. */
export function blockingRoutes(plan: LinkPlan, deviceIndex: number): RouteStep[] {
  if (plan.onDown !== 'block') return [];
  return plannedPrefixes(plan).map(({ prefix }) => ({
    kind: 'route',
    to: formatPrefix(prefix),
    unreachable: true,
    metric: WORST + deviceIndex,
  }));
}

/** A route beside the link for one address. */
export function keptRoute(
  address: string,
  way: { readonly device: string; readonly via?: string | undefined },
  deviceIndex: number,
): RouteStep {
  return { kind: 'route', to: formatPrefix(parsePrefix(address)), ...way, metric: KEPT + deviceIndex };
}

/** Where no way beside the link is left for one address: who dials it learns that at once, and does not wait in the link. */
export function noKeptRoute(address: string, deviceIndex: number): RouteStep {
  return {
    kind: 'route',
    to: formatPrefix(parsePrefix(address)),
    unreachable: true,
    metric: BEHIND_KEPT + deviceIndex,
  };
}

/** All networks that the plan says something of. `gateway`: undefined, none is needed; null, the link does not lead there. */
export function plannedPrefixes(
  plan: LinkPlan,
): { readonly prefix: Prefix; readonly gateway: string | undefined | null }[] {
  return (plan.routes ?? []).flatMap((route) => {
    const wholes = route === 'default' ? ['0.0.0.0/0', '::/0'] : [route];
    return wholes.flatMap((text) => {
      const prefix = parsePrefix(text);
      const own = plan.addresses.filter(({ local }) => familyOf(local) === prefix.family);
      const leads = own.length > 0 || route !== 'default';
      if (!leads && plan.onDown === 'pass') return [];
      const gateway = leads ? gatewayOf(plan, own) : null;
      return (prefix.length === 0 ? halves(prefix) : [prefix]).map((part) => ({ prefix: part, gateway }));
    });
  });
}

/** Name servers and pinned names. */
export function nameSteps(plan: LinkPlan, way: DnsWay): Step[] {
  const { device, dns = [], names = [] } = plan;
  for (const address of [...dns, ...names.map((name) => name.address)])
    if (isIP(address) === 0) throw new ViasshError('OPTION_INVALID', `${JSON.stringify(address)} is no IP address`);
  for (const { name } of names)
    if (!/^[\w.-]+$/.test(name)) throw new ViasshError('OPTION_INVALID', `${JSON.stringify(name)} is no host name`);
  return [
    ...(names.length === 0
      ? []
      : [{ kind: 'names' as const, device, lines: names.map(({ name, address }) => `${address} ${name}`) }]),
    ...(dns.length === 0 ? [] : [{ kind: 'dns' as const, device, way, servers: [...dns] }]),
  ];
}

/** Equal addresses, however they are written. */
export function same(one: string, other: string): boolean {
  return canonicalAddress(one) === canonicalAddress(other);
}

function familyOf(address: string): 4 | 6 {
  return address.includes(':') ? 6 : 4;
}

/** On an Ethernet the next hop has to be told. */
function gatewayOf(plan: LinkPlan, addresses: readonly PlannedAddress[]): string | undefined {
  return plan.mode === 'ethernet' ? addresses.find(({ remote }) => remote !== undefined)?.remote : undefined;
}
