import {
  type Capability,
  type Clock,
  type Connection,
  type ConnectionInfo,
  type Logger,
  supervise,
  type SupervisedConnection,
  supervisedConnection,
  type Supervisor,
  type SupervisorState,
  type ViasshError,
} from '@viassh/core';
import type { ConnectionStatus } from '../status/broker-status.ts';
import type { BrokerWorld, ConnectionWish } from './broker-world.ts';

/** How somebody uses a shared connection. */
export interface ConnectionUseOptions {
  readonly log: Logger;
  /** Milliseconds that an opening waits while there is no connection. */
  readonly waitMs?: number | undefined;
  readonly needs: readonly Capability[];
  readonly keepalive: boolean;
  /** Its clients are to find a session that is open already. */
  readonly warm?: boolean;
  /** It is a lease, for status. */
  readonly lease?: boolean;
}

/** A share in it. Disposing closes what was opened by it, and nothing else. */
export interface ConnectionShare extends AsyncDisposable {
  readonly connection: SupervisedConnection;
  readonly supervisor: Supervisor;
}

/** One login for all that wants it: tunnels and leases, each with a share of its own. */
export class SharedConnection {
  readonly key: string;
  readonly supervisor: Supervisor;
  readonly #wish: ConnectionWish;
  readonly #clock: Clock;
  readonly #shares = new Map<ConnectionShare, ConnectionUseOptions>();
  readonly #needs = new Set<Capability>();
  #keepalive = false;
  #warm = false;
  #latest: Connection | undefined;
  #loginKey: string | undefined;
  #lastError: ViasshError | undefined;
  /** Of shares that are gone. */
  #sent = 0;
  #received = 0;

  constructor(key: string, wish: ConnectionWish, world: BrokerWorld, idleSeconds: number) {
    const { connect, keyOf, log, clock } = world;
    this.key = key;
    this.#wish = wish;
    this.#clock = clock;
    const own = this.#tellingAll(log);
    this.supervisor = supervise(
      async (signal) => {
        const keepalive = this.#keepalive && !isSilent(wish);
        const found = keyOf(wish, signal).catch(() => undefined);
        const connection = await connect(wish, {
          needs: [...this.#needs],
          keepalive,
          warm: this.#warm,
          signal,
          log: own,
        });
        this.#loginKey = await found;
        return connection;
      },
      {
        log: own,
        clock,
        keepTrying: true,
        lazy: true,
        idleMs: idleSeconds === 0 ? undefined : idleSeconds * 1000,
        probe: !isSilent(wish),
      },
    );
    this.supervisor.onUp((connection) => (this.#latest = connection));
    this.supervisor.onState((state) => this.#note(state));
  }

  /** Does anybody have a share in it? */
  get isUsed(): boolean {
    return this.#shares.size > 0;
  }

  /** The configuration was changed since it got its key, and the latest login went by what it says now: not to be lent. */
  get isAnother(): boolean {
    return this.#loginKey !== this.key;
  }

  /** What is known of the connection that is up, or was last. */
  get info(): ConnectionInfo | undefined {
    return this.#latest?.info;
  }

  share(options: ConnectionUseOptions): ConnectionShare {
    for (const need of options.needs) this.#needs.add(need);
    this.#keepalive ||= options.keepalive;
    this.#warm ||= options.warm === true;
    const { supervisor } = this;
    const connection = supervisedConnection(supervisor, {
      log: options.log,
      waitMs: options.waitMs,
      shared: true,
      evict: options.lease !== true, // a session of ours alone, and dead for all who had a share in it
      clock: this.#clock,
      expected: { capabilities: new Set(options.needs) },
    });
    const share: ConnectionShare = {
      connection,
      supervisor,
      [Symbol.asyncDispose]: async () => {
        await connection.close();
        if (!this.#shares.delete(share)) return;
        this.#sent += connection.traffic.sent;
        this.#received += connection.traffic.received;
      },
    };
    this.#shares.set(share, options);
    return share;
  }

  /**
   * For a command: the connection that is up, or the outcome of the attempt that is under way or begins now; nobody waits for a later one.
   *
   * @throws ViasshError of the attempt; ABORTED
   */
  async now(signal: AbortSignal): Promise<Connection> {
    this.#warm = true;
    const failed = new AbortController();
    if (this.supervisor.state.kind === 'waiting') this.supervisor.retryNow('a command wants it');
    using _watch = this.supervisor.onState((state) => {
      if (state.kind === 'waiting') failed.abort(state.error);
    });
    return await this.supervisor.current({ signal: AbortSignal.any([signal, failed.signal]) });
  }

  status(): ConnectionStatus {
    const { state } = this.supervisor;
    const { peer, hostKey, kex, cipher, mac } = this.#latest?.info ?? {};
    const traffics = [...this.#shares.keys()].map(({ connection }) => connection.traffic);
    const sum = (field: 'open' | 'sent' | 'received'): number =>
      traffics.reduce((total, traffic) => total + traffic[field], 0);
    return {
      key: this.key,
      destination: this.#wish.destination,
      state: state.kind,
      since: state.since,
      attempt: 'attempt' in state ? state.attempt : undefined,
      nextRetry: state.kind === 'waiting' ? state.until : undefined,
      lastError: this.#lastError && errorStatus(this.#lastError),
      ups: this.supervisor.ups,
      roundTripMs: state.kind === 'up' ? state.roundTripMs : undefined,
      transport: this.#latest?.transport,
      peer,
      hostKey,
      kex,
      cipher,
      mac,
      channels: sum('open'),
      leases: [...this.#shares.values()].filter(({ lease }) => lease === true).length,
      sent: this.#sent + sum('sent'),
      received: this.#received + sum('received'),
    };
  }

  #note(state: SupervisorState): void {
    if (state.kind === 'waiting' || (state.kind === 'stopped' && state.error !== undefined))
      this.#lastError = state.error;
  }

  /** What happens to the connection stands in the log of everybody who rides on it. */
  #tellingAll(log: Logger): Logger {
    const at =
      (level: keyof Logger) =>
      (message: string): void => {
        const tunnels = new Set([...this.#shares.values()].filter(({ lease }) => lease !== true).map((use) => use.log));
        if (tunnels.size === 0) log[level](`${this.#wish.destination}: ${message}`);
        for (const each of tunnels) each[level](message);
      };
    return { error: at('error'), warning: at('warning'), info: at('info'), debug: at('debug') };
  }
}

/** As status says it. */
export function errorStatus({ code, message, hint }: ViasshError): NonNullable<ConnectionStatus['lastError']> {
  return { code, message, hint };
}

/** Keepalives are off on purpose: the link may be silent for any time, and nobody probes it. */
function isSilent({ ssh }: ConnectionWish): boolean {
  return ssh.some((word) => /^(?:-o)?ServerAliveInterval[= ]0$/i.test(word));
}
