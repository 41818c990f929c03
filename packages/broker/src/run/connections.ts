import type { ConnectionStatus } from '../status/broker-status.ts';
import type { BrokerWorld, ConnectionWish } from './broker-world.ts';
import { SharedConnection } from './shared-connection.ts';

/** Milliseconds for which a failure that nobody may retry is the answer to leases: a login that fails is not repeated for each. */
const REMEMBERED = 600_000;

/** The connections of a broker, one for each key. */
export class Connections {
  readonly #world: BrokerWorld;
  readonly #byKey = new Map<string, SharedConnection>();
  /** Seconds without use until one is closed, for those that are made from now on. */
  idleSeconds: number;

  constructor(world: BrokerWorld, idleSeconds: number) {
    this.#world = world;
    this.idleSeconds = idleSeconds;
  }

  /** The one of that key; a new one where there is none, or only one that has stopped for good. */
  get(key: string, wish: ConnectionWish): SharedConnection {
    const found = this.#byKey.get(key);
    if (found !== undefined && found.supervisor.state.kind !== 'stopped') return found;
    const made = new SharedConnection(key, wish, this.#world, this.idleSeconds);
    this.#byKey.set(key, made);
    return made;
  }

  /** Is there one, were it one that has failed for good a while ago? */
  find(key: string): SharedConnection | undefined {
    const found = this.#byKey.get(key);
    const state = found?.supervisor.state;
    const isOld = state?.kind === 'stopped' && this.#world.clock.wall() - state.since > REMEMBERED;
    return isOld ? undefined : found;
  }

  /** Forgets those that nobody uses and that are closed. */
  tidy(): void {
    for (const [key, connection] of this.#byKey) {
      const { kind } = connection.supervisor.state;
      if (!connection.isUsed && (kind === 'idle' || (kind === 'stopped' && this.find(key) === undefined)))
        this.#byKey.delete(key);
    }
  }

  /** Is anything dialled or kept? */
  get areResting(): boolean {
    return [...this.#byKey.values()].every(({ supervisor: { state } }) => ['idle', 'stopped'].includes(state.kind));
  }

  retryNow(why: string): void {
    for (const { supervisor } of this.#byKey.values()) supervisor.retryNow(why);
  }

  status(): readonly ConnectionStatus[] {
    return [...this.#byKey.values()].map((connection) => connection.status());
  }

  async close(): Promise<void> {
    await Promise.all([...this.#byKey.values()].map(({ supervisor }) => supervisor.close()));
  }
}
