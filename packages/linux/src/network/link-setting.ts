import { access, readFile } from 'node:fs/promises';
import { isIP } from 'node:net';
import { ViasshError } from '@viassh/core';
import { checkConflicts } from './check-conflicts.ts';
import { exclusive } from './exclusive.ts';
import type { IpAddresses, IpLink } from './ip-program.ts';
import { wayBeside } from './kept-ways.ts';
import type { LinkPlan, NetworkLink, NetworkTools } from './link-network.ts';
import {
  blockingRoutes,
  type DeviceState,
  deviceSteps,
  keptRoute,
  linkRoutes,
  nameSteps,
  noKeptRoute,
  plannedPrefixes,
} from './plan-steps.ts';
import { contains, parsePrefix } from './prefix.ts';
import { ipUndoWords, ipWords, keyOf, type Step } from './step.ts';

/** Addresses of one link that are kept beside it, at the most: this process may have other connections, but not so many. */
const MOST_KEPT = 256;

/** The settings of one link: a plan, and the steps that were taken for it, which the journal knows before the kernel does. */
export class LinkSetting implements NetworkLink {
  readonly #tools: NetworkTools;
  readonly #name: string;
  #plan: LinkPlan | undefined;
  #carrying = true;
  #device = '';
  #index = 0;
  #steps: readonly Step[] = [];

  constructor(tools: NetworkTools) {
    this.#tools = tools;
    this.#name = tools.journal.newName();
  }

  set(plan: LinkPlan): Promise<void> {
    return exclusive(() => this.#become(plan, this.#carrying));
  }

  setCarrying(carrying: boolean): Promise<void> {
    return exclusive(async () => {
      if (this.#plan !== undefined) await this.#become(this.#plan, carrying);
    });
  }

  keep(addresses?: readonly string[]): Promise<void> {
    return exclusive(async () => {
      if (this.#plan !== undefined)
        await this.#become({ ...this.#plan, keep: addresses ?? this.#plan.keep }, this.#carrying);
    });
  }

  async [Symbol.asyncDispose](): Promise<void> {
    await exclusive(async () => {
      this.#plan = undefined;
      await this.#drop(this.#steps);
      await this.#tools.journal.forget(this.#name);
    });
  }

  async #become(plan: LinkPlan, carrying: boolean): Promise<void> {
    const before = this.#steps;
    const state = await this.#look(plan);
    await checkConflicts(this.#tools.ip, plan);
    const wished = await this.#wished(plan, carrying, state);
    const keys = new Set(wished.map(keyOf));
    const stale = before.filter((step) => !keys.has(keyOf(step)));
    // With the last address of a device its routes go: what belongs to it is then set again.
    const flushed = stale.some(({ kind }) => kind === 'address' || kind === 'up')
      ? before.filter((step) => step.kind === 'route' && step.device === plan.device)
      : [];
    await this.#drop([...new Set([...stale, ...flushed])]);
    const there = new Set(this.#steps.map(keyOf));
    await this.#take(wished.filter((step) => !there.has(keyOf(step))));
    this.#plan = plan;
    this.#carrying = carrying;
  }

  async #look(plan: LinkPlan): Promise<DeviceState> {
    const { ip } = this.#tools;
    const [link] = (await ip.ask<IpLink[]>('-d', 'link', 'show', 'dev', plan.device)) ?? [];
    if (link === undefined) throw new ViasshError('DEVICE_LOST', `there is no device ${plan.device}`);
    if (this.#index !== link.ifindex) this.#steps = this.#steps.filter((step) => !goesWithDevice(step, plan.device));
    this.#device = plan.device;
    this.#index = link.ifindex;
    const [device] = (await ip.ask<IpAddresses[]>('address', 'show', 'dev', plan.device)) ?? [];
    const path = `/proc/sys/net/ipv6/conf/${plan.device}/disable_ipv6`;
    const ipv6 = (await readFile(path, 'utf8').catch(() => '1')).trim() === '0';
    if (!ipv6 && plan.addresses.some(({ local }) => isIP(local) === 6))
      throw new ViasshError('NETWORK_SETUP_FAILED', `IPv6 is switched off on this machine, or for ${plan.device}`, {
        hint: `${path} says so; leave the IPv6 address away`,
      });
    return { link, addresses: device?.addr_info ?? [], ipv6 };
  }

  /** In the order in which they are taken: the kept ways stand before anything could take them over. */
  async #wished(plan: LinkPlan, carrying: boolean, state: DeviceState): Promise<Step[]> {
    const own = this.#steps.filter((step) => goesWithDevice(step, plan.device) && step.kind !== 'route');
    const kept = await this.#keptRoutes(plan, carrying);
    const open = carrying || plan.onDown === 'block';
    const ipv6 = await access('/proc/sys/net/ipv6').then(
      () => true,
      () => false,
    );
    const families = (step: { readonly to: string }): boolean => ipv6 || !step.to.includes(':');
    const names = open ? nameSteps(plan, plan.dns?.length ? await this.#tools.nameServers.way() : 'file') : [];
    return [
      ...deviceSteps(plan, state, own),
      ...kept,
      ...(open ? linkRoutes(plan) : []).filter(families),
      ...blockingRoutes(plan, this.#index).filter(families),
      ...names,
    ];
  }

  async #keptRoutes(plan: LinkPlan, carrying: boolean): Promise<Step[]> {
    const captured = plannedPrefixes(plan);
    const steps: Step[] = [];
    for (const address of new Set((plan.keep ?? []).slice(0, MOST_KEPT))) {
      const target = parsePrefix(address);
      if (!captured.some(({ prefix }) => contains(prefix, target))) continue;
      const way = await wayBeside(this.#tools.ip, address, plan.device);
      if (way === 'here') continue;
      if (way === undefined) this.#tools.log.debug(`no way to ${address} beside ${plan.device} at the moment`);
      else steps.push(keptRoute(address, way, this.#index));
      // With `block` it stands behind the way all the time: as that changes, there is no moment at which it is the link.
      if (plan.onDown === 'block' || (carrying && way === undefined)) steps.push(noKeptRoute(address, this.#index));
    }
    return steps;
  }

  #record(steps: readonly Step[]): Promise<void> {
    return this.#tools.journal.write(this.#name, { device: this.#device, deviceIndex: this.#index, steps });
  }

  /** All or none of them. */
  async #take(steps: readonly Step[]): Promise<void> {
    const { ip, nameServers } = this.#tools;
    const before = this.#steps;
    await this.#record([...before, ...steps]);
    const routed = steps.flatMap((step) => ipWords(step) ?? []);
    const failure = await ip.batch(routed);
    const done = steps.filter((step) => ipWords(step) !== undefined).slice(0, failure?.done);
    try {
      if (failure !== undefined) throw failure.error;
      for (const step of steps)
        if (step.kind === 'dns' || step.kind === 'names') {
          done.push(step);
          await nameServers.set(step);
        }
      this.#steps = [...before, ...steps];
    } catch (error) {
      this.#steps = [...before, ...done];
      await this.#drop(done);
      throw error;
    }
  }

  async #drop(steps: readonly Step[]): Promise<void> {
    if (steps.length === 0) return;
    await undoSteps(this.#tools, steps);
    const gone = new Set(steps);
    this.#steps = this.#steps.filter((step) => !gone.has(step));
    await this.#record(this.#steps);
  }
}

/** Takes steps back, the last one first. What is gone already is no failure. */
export async function undoSteps({ ip, nameServers }: NetworkTools, steps: readonly Step[]): Promise<void> {
  const backwards = steps.toReversed();
  for (const step of backwards) if (step.kind === 'dns' || step.kind === 'names') await nameServers.undo(step);
  await ip.force(backwards.flatMap((step) => ipUndoWords(step) ?? []));
}

/** Steps that are gone when the device is. */
export function goesWithDevice(step: Step, device: string): boolean {
  return step.kind !== 'dns' && step.kind !== 'names' && step.device === device;
}
