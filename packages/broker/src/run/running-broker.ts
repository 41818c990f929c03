import type { Socket } from 'node:net';
import { type Clock, type ClockTimer, ViasshError } from '@viassh/core';
import type { BrokerConfig } from '../config/broker-config.ts';
import { compareConfigs } from '../config/compare-configs.ts';
import { createTunnelLogs, type TunnelLogs } from '../log/tunnel-logs.ts';
import type { ControlAnswer, ControlRequest, LeaseRequest } from '../control/requests.ts';
import type { ControlReply } from '../control/serve-control.ts';
import type { BrokerStatus } from '../status/broker-status.ts';
import type { BrokerWorld } from './broker-world.ts';
import { Connections } from './connections.ts';
import { lend } from './lend.ts';
import { MetricsEndpoint } from './metrics-endpoint.ts';
import type { Broker, StartBrokerOptions } from './start-broker.ts';
import { teeLogger } from './tee-logger.ts';
import { tellLog } from './tell-log.ts';
import type { Tunnel } from './tunnel.ts';
import { Tunnels } from './tunnels.ts';

/** Milliseconds that `up` waits until it tells how things stand. */
const DECISION = 15_000;
/** Milliseconds between two looks whether anything is still wanted. */
const LOOK = 1000;
/** Milliseconds that a broker which ends when idle stays at the least. */
const GRACE = 3000;

/** See {@link Broker}. */
export class RunningBroker implements Broker {
  readonly socketPath: string;
  readonly tunnels: Tunnels;
  readonly ended: Promise<void>;
  ready: Promise<void> = Promise.resolve();
  readonly #options: StartBrokerOptions & { readonly clock: Clock };
  readonly #world: BrokerWorld;
  readonly #connections: Connections;
  readonly #logs: TunnelLogs;
  readonly #metrics: MetricsEndpoint;
  readonly #since: number;
  readonly #begun: number;
  readonly #resolveEnded: () => void;
  #config: BrokerConfig;
  #closeControl: () => Promise<void> = async () => undefined;
  #closing: Promise<void> | undefined;
  #look: ClockTimer | undefined;
  #hasLent = false;
  /** Changes come one after the other. */
  #last: Promise<unknown> = Promise.resolve();

  constructor(options: StartBrokerOptions & { readonly clock: Clock }, socketPath: string) {
    this.#options = options;
    this.socketPath = socketPath;
    this.#config = options.config;
    this.#since = options.clock.wall();
    this.#begun = options.clock.now();
    const { plugins, programs, clock, connect, keyOf, settingsOf, logFolder } = options;
    this.#logs = createTunnelLogs({ clock, level: 'info', folder: logFolder });
    const log = teeLogger(this.#logs.logger(), options.log, 'broker');
    this.#world = { plugins, programs, log, output: options.log, logs: this.#logs, clock, connect, keyOf, settingsOf };
    this.#connections = new Connections(this.#world, options.config.idle);
    this.tunnels = new Tunnels(options.config, this.#world, this.#connections);
    this.#metrics = new MetricsEndpoint(() => this.status(), log);
    const { promise, resolve } = Promise.withResolvers<void>();
    this.ended = promise;
    this.#resolveEnded = resolve;
  }

  /** The control socket listens. */
  begin(first: readonly Tunnel[], closeControl: () => Promise<void>): void {
    this.#closeControl = closeControl;
    for (const tunnel of first) tunnel.up();
    this.#lookLater();
    this.ready = this.#becomeReady(first);
  }

  async handle(request: ControlRequest, signal: AbortSignal): Promise<ControlReply> {
    switch (request.ask) {
      case 'status':
        return { answer: { ok: true, status: this.status() } };
      case 'up':
        return { answer: await this.#up(request.names, signal) };
      case 'down':
        return { answer: await this.#down(request.names) };
      case 'reload':
        return { answer: { ok: true, said: await this.reload() } };
      case 'retry':
        return { answer: this.#retry(request.names) };
      case 'stop':
        return { answer: { ok: true }, afterwards: async () => void this.close() };
      case 'logs':
        return this.#tellLogs(request);
      case 'lease':
        return await this.#lend(request, signal);
      default:
        return request satisfies never;
    }
  }

  status(): BrokerStatus {
    const { pid, version, configFile } = this.#options;
    return {
      pid,
      version,
      since: this.#since,
      configFile,
      connections: this.#connections.status(),
      tunnels: this.tunnels.status(),
    };
  }

  retryNow(why: string): void {
    this.#connections.retryNow(why);
    for (const tunnel of this.tunnels.all) if (tunnel.state === 'failed') tunnel.retry(why);
  }

  async reload(): Promise<readonly string[]> {
    return await this.#inTurn(async () => {
      this.#options.onState?.('reloading', this.status());
      try {
        const after = await this.#options.reload();
        const said = await this.tunnels.apply(after, compareConfigs(this.#config, after));
        this.#config = after;
        this.#connections.idleSeconds = after.idle;
        await this.#metrics.serveAt(after.metrics);
        return said;
      } finally {
        this.#options.onState?.('ready', this.status());
      }
    });
  }

  close(): Promise<void> {
    return (this.#closing ??= this.#close());
  }

  async [Symbol.asyncDispose](): Promise<void> {
    await this.close();
  }

  async #close(): Promise<void> {
    this.#options.onState?.('stopping', this.status());
    this.#options.clock.clearTimeout(this.#look);
    await this.#last;
    await this.#metrics.close();
    await this.tunnels.close();
    await this.#connections.close();
    await this.#closeControl();
    await this.#logs[Symbol.asyncDispose]();
    this.#resolveEnded();
  }

  async #becomeReady(first: readonly Tunnel[]): Promise<void> {
    await this.#inTurn(async () => await this.#metrics.serveAt(this.#config.metrics)).catch(() => undefined);
    await this.#atMost(DECISION, Promise.all(first.map((tunnel) => tunnel.decided())));
    if (this.#closing === undefined) this.#options.onState?.('ready', this.status());
  }

  async #up(names: readonly string[], signal: AbortSignal): Promise<ControlAnswer> {
    const asked = await this.#inTurn(async () => {
      const tunnels = this.tunnels.named(names);
      for (const tunnel of tunnels) tunnel.up();
      return tunnels;
    });
    await this.#atMost(DECISION, Promise.all(asked.map((tunnel) => tunnel.decided())), signal);
    return { ok: true, said: asked.map(sayTunnel) };
  }

  async #down(names: readonly string[]): Promise<ControlAnswer> {
    return await this.#inTurn(async () => {
      const tunnels = names.length === 0 ? this.tunnels.all : this.tunnels.named(names);
      await Promise.all(tunnels.map((tunnel) => tunnel.down()));
      return { ok: true, said: tunnels.map(sayTunnel) };
    });
  }

  #retry(names: readonly string[]): ControlAnswer {
    const why = 'asked to try now';
    if (names.length === 0) this.retryNow(why);
    else for (const tunnel of this.tunnels.named(names)) tunnel.retry(why);
    return { ok: true };
  }

  async #lend(request: LeaseRequest, signal: AbortSignal): Promise<ControlReply> {
    const { share } = this.#config;
    this.#hasLent = true;
    return await lend({ ...this.#world, connections: this.#connections, share }, request, signal);
  }

  #tellLogs({ name, follow }: Extract<ControlRequest, { ask: 'logs' }>): ControlReply {
    if (name !== undefined) this.tunnels.get(name);
    const afterwards = async (socket: Socket, signal: AbortSignal): Promise<void> =>
      await tellLog(this.#logs, { name, follow }, socket, signal);
    return { answer: { ok: true }, afterwards };
  }

  async #inTurn<T>(work: () => Promise<T>): Promise<T> {
    const turn = this.#last.then(async () => {
      if (this.#closing !== undefined) throw new ViasshError('BROKER_ABSENT', 'the broker ends');
      return await work();
    });
    this.#last = turn.catch(() => undefined);
    return await turn;
  }

  async #atMost(ms: number, work: Promise<unknown>, signal?: AbortSignal): Promise<void> {
    const { promise, resolve } = Promise.withResolvers<void>();
    const timer = this.#options.clock.setTimeout(resolve, ms);
    timer.unref();
    const onAbort = (): void => resolve();
    signal?.addEventListener('abort', onAbort, { once: true });
    await Promise.race([promise, work]);
    signal?.removeEventListener('abort', onAbort);
    this.#options.clock.clearTimeout(timer);
  }

  /** One that nobody has needed yet waits for its first use as long as a connection for its next. */
  get #leastStay(): number {
    const { idle } = this.#config;
    if (this.#hasLent) return GRACE;
    return idle === 0 ? Infinity : Math.max(GRACE, idle * 1000);
  }

  #lookLater(): void {
    const { clock, endsWhenIdle = false, log } = this.#options;
    this.#look = clock.setTimeout(() => {
      this.#connections.tidy();
      const isDone = endsWhenIdle && !this.tunnels.anyWanted && this.#connections.areResting;
      if (isDone && clock.now() - this.#begun >= this.#leastStay) {
        log.info('nobody has needed the broker for a while: it ends');
        void this.close();
      } else this.#lookLater();
    }, LOOK);
    this.#look.unref();
  }
}

function sayTunnel(tunnel: Tunnel): string {
  const { name, state, listeners, lastError } = tunnel.status();
  const where = listeners.length === 0 ? '' : `, listening on ${listeners.join(', ')}`;
  const connection = tunnel.shared?.status();
  const why =
    lastError ??
    (connection?.state === 'waiting' || connection?.state === 'stopped' ? connection.lastError : undefined);
  return `${name}: ${state}${where}${why === undefined || state === 'down' ? '' : `: ${why.message} (${why.code})`}`;
}
