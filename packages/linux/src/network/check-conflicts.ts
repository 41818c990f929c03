import { ViasshError } from '@viassh/core';
import type { IpAddresses, IpProgram, IpRoute } from './ip-program.ts';
import type { AddressPlan } from './link-network.ts';
import { same } from './plan-steps.ts';
import { contains, parsePrefix } from './prefix.ts';

/**
 * Looks whether the addresses of a plan mean something else on this machine.
 *
 * @throws ViasshError ADDRESS_CONFLICT
 */
export async function checkConflicts(ip: IpProgram, plan: AddressPlan): Promise<void> {
  const interfaces = (await ip.ask<IpAddresses[]>('address', 'show')) ?? [];
  const routes = (await ip.ask<IpRoute[]>('route', 'show', 'default')) ?? [];
  const others = interfaces
    .filter(({ ifname }) => ifname !== plan.device)
    .flatMap(({ ifname, addr_info }) => addr_info.map((info) => ({ ...info, ifname })));
  for (const { local, remote, prefix } of plan.addresses) {
    if (/^fe80:/i.test(local)) continue; // every device has its own of these
    const network = parsePrefix(`${local}/${prefix}`);
    for (const other of others) {
      if (other.local === undefined) continue;
      for (const address of [local, remote])
        if (address !== undefined && same(address, other.local))
          throw conflict(`${address} is an address of ${other.ifname} on this machine already`);
      const theirs = parsePrefix(`${other.address ?? other.local}/${other.prefixlen}`);
      const wide = prefix < (network.family === 4 ? 32 : 128);
      if (wide && (contains(network, theirs) || contains(theirs, network)))
        throw conflict(
          `the network ${local}/${prefix} and that of ${other.ifname} (${other.local}/${other.prefixlen}) overlap`,
        );
    }
    const gateway = routes.find(
      (route) => route.gateway !== undefined && remote !== undefined && same(route.gateway, remote),
    );
    if (gateway !== undefined && gateway.dev !== plan.device)
      throw conflict(`${remote} is the gateway of this machine already, on ${gateway.dev}`);
  }
}

/**
 * Looks whether the other end of a link is to have an address that the link itself is carried to.
 *
 * @throws ViasshError ADDRESS_CONFLICT
 */
export function checkKept({ addresses }: AddressPlan, keep: readonly string[]): void {
  for (const { remote } of addresses)
    if (remote !== undefined && keep.some((address) => same(address, remote)))
      throw conflict(`${remote} is where the ssh connection goes to, which is to carry the link`);
}

function conflict(what: string): ViasshError {
  return new ViasshError('ADDRESS_CONFLICT', what, {
    hint: 'choose others with --address, or take the old ones away: ip address',
  });
}
