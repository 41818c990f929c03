import { ViasshError } from '@viassh/core';
import type { BrokerConfig, TunnelConfig } from '../config/broker-config.ts';
import type { ConfigDifference } from '../config/compare-configs.ts';
import type { TunnelStatus } from '../status/broker-status.ts';
import type { BrokerWorld } from './broker-world.ts';
import type { Connections } from './connections.ts';
import { Tunnel } from './tunnel.ts';

/** All tunnels of the configuration, in its order. */
export class Tunnels {
  readonly #world: BrokerWorld;
  readonly #connections: Connections;
  #byName = new Map<string, Tunnel>();

  constructor(config: BrokerConfig, world: BrokerWorld, connections: Connections) {
    this.#world = world;
    this.#connections = connections;
    for (const [name, tunnel] of config.tunnels) this.#byName.set(name, this.#make(name, tunnel));
  }

  get all(): readonly Tunnel[] {
    return [...this.#byName.values()];
  }

  /** Those with these names; without names all that are not manual. @throws ViasshError TUNNEL_UNKNOWN */
  named(names: readonly string[]): readonly Tunnel[] {
    return names.length === 0 ? this.all.filter(({ config }) => !config.manual) : names.map((name) => this.get(name));
  }

  /** @throws ViasshError TUNNEL_UNKNOWN */
  get(name: string): Tunnel {
    const found = this.#byName.get(name);
    if (found !== undefined) return found;
    const all = [...this.#byName.keys()];
    throw new ViasshError('TUNNEL_UNKNOWN', `there is no tunnel named '${name}'`, {
      hint: `${all.length === 0 ? 'the configuration has none' : `there are ${all.join(', ')}`}; a new one is there after viassh reload`,
    });
  }

  /** Is any up, or to be up? */
  get anyWanted(): boolean {
    return this.all.some(({ state }) => state !== 'down');
  }

  /** Takes in another configuration: what is as it was goes on untouched. Says what was done. */
  async apply(
    config: BrokerConfig,
    { changed, gone }: Pick<ConfigDifference, 'changed' | 'gone'>,
  ): Promise<readonly string[]> {
    const said: string[] = [];
    const before = this.#byName;
    const running = new Set([...before.values()].filter(({ state }) => state !== 'down').map(({ name }) => name));
    await Promise.all([...changed, ...gone].map(async (name) => await before.get(name)?.down()));
    for (const name of gone) {
      this.#world.logs.forget(name);
      said.push(`${name}: gone`);
    }
    const after = new Map<string, Tunnel>();
    for (const [name, tunnel] of config.tunnels) {
      const old = before.get(name);
      if (old !== undefined && !changed.includes(name)) {
        old.adjust(tunnel);
        after.set(name, old);
        continue;
      }
      const made = this.#make(name, tunnel);
      after.set(name, made);
      if (old === undefined ? !tunnel.manual : running.has(name)) made.up();
      said.push(`${name}: ${old === undefined ? 'new' : 'changed'}`);
    }
    this.#byName = after;
    return said;
  }

  status(): readonly TunnelStatus[] {
    return this.all.map((tunnel) => tunnel.status());
  }

  async close(): Promise<void> {
    await Promise.all(this.all.map((tunnel) => tunnel.down()));
  }

  #make(name: string, config: TunnelConfig): Tunnel {
    return new Tunnel(name, config, this.#world, this.#connections);
  }
}
