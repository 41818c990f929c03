import { Readable } from 'node:stream';
import {
  type ClockTimer,
  describeExit,
  type ExitStatus,
  type Logger,
  parseNearEnd,
  type PluginContext,
  type PreparedPlugin,
  toViasshError,
  ViasshError,
} from '@viassh/core';
import type { TunnelConfig } from '../config/broker-config.ts';
import type { ProbeResult } from '../probe/probe-tunnel.ts';
import { watchTunnel } from '../probe/watch-tunnel.ts';
import type { TunnelStatus } from '../status/broker-status.ts';
import type { BrokerWorld, ConnectionWish } from './broker-world.ts';
import type { Connections } from './connections.ts';
import { lineOutput } from './line-output.ts';
import { serveRawEndpoint } from './raw-endpoint.ts';
import { probeEnds } from './probe-ends.ts';
import { errorStatus, type ConnectionShare, type SharedConnection } from './shared-connection.ts';
import { teeLogger } from './tee-logger.ts';

/** Milliseconds before one that failed for a while is tried again: the first, and the longest. */
const FIRST_PAUSE = 2000;
const LONGEST_PAUSE = 60_000;
const LISTENING = 'listening on ';

/** One tunnel: a plugin on a supervised connection, or a raw endpoint, until it is taken down. Its failures are its own. */
export class Tunnel {
  readonly name: string;
  #config: TunnelConfig;
  readonly #world: BrokerWorld;
  readonly #connections: Connections;
  readonly #log: Logger;
  #state: TunnelStatus['state'] = 'down';
  #since: number;
  #listeners: string[] = [];
  #lastError: ViasshError | undefined;
  #shared: SharedConnection | undefined;
  #run: { readonly stop: AbortController; readonly ended: Promise<void> } | undefined;
  #decided = Promise.withResolvers<void>();
  #pause = FIRST_PAUSE;
  #share: ConnectionShare | undefined;
  #probed: ProbeResult | undefined;
  #watch: Disposable | undefined;
  #retry: ClockTimer | undefined;

  constructor(name: string, config: TunnelConfig, world: BrokerWorld, connections: Connections) {
    this.name = name;
    this.#config = config;
    this.#world = world;
    this.#connections = connections;
    this.#log = teeLogger(world.logs.logger(name), world.output, name);
    this.#since = world.clock.wall();
  }

  get config(): TunnelConfig {
    return this.#config;
  }

  /** Another one that lets it run on: only its probe, and what is not about running, differ. */
  adjust(config: TunnelConfig): void {
    this.#config = config;
    this.#watchAnew();
  }

  get state(): TunnelStatus['state'] {
    return this.#state;
  }

  get shared(): SharedConnection | undefined {
    return this.#shared;
  }

  /** What it was when it ended by itself last. */
  get lastError(): ViasshError | undefined {
    return this.#lastError;
  }

  /** Begins, unless it runs. */
  up(): void {
    if (this.#run !== undefined) return;
    this.#clearRetry();
    const stop = new AbortController();
    this.#enter('starting');
    const ended = this.#runToEnd(stop.signal).finally(() => {
      if (this.#run?.stop === stop) this.#run = undefined;
    });
    this.#run = { stop, ended };
  }

  /** Ends it; resolves when nothing of it is left. */
  async down(): Promise<void> {
    this.#clearRetry();
    this.#run?.stop.abort();
    await this.#run?.ended;
    if (this.#state !== 'down') this.#enter('down');
  }

  /** One that has failed begins anew; where its connection waits, that tries now. */
  retry(why: string): void {
    if (this.#state === 'failed') this.up();
    else this.#shared?.supervisor.retryNow(why);
  }

  /** Resolves when it is up, or has failed, or was taken down. */
  async decided(): Promise<void> {
    if (this.#state === 'starting') await this.#decided.promise;
  }

  status(): TunnelStatus {
    return {
      name: this.name,
      plugin: this.config.plugin,
      connection: this.#shared?.key ?? '',
      via: this.config.via,
      state: this.#state,
      since: this.#since,
      listeners: this.#listeners,
      lastError: this.#lastError && errorStatus(this.#lastError),
      probe: this.#probed,
    };
  }

  /** Never rejects. */
  async #runToEnd(signal: AbortSignal): Promise<void> {
    try {
      const exit = await this.#runOnce(signal);
      if (!signal.aborted) this.#endedByItself(exit);
    } catch (error) {
      if (!signal.aborted) this.#failed(toViasshError(error));
    }
    if (signal.aborted) this.#enter('down');
  }

  async #runOnce(signal: AbortSignal): Promise<ExitStatus> {
    const { config } = this;
    const wish: ConnectionWish = { destination: config.via, ssh: config.ssh, transport: 'auto' };
    const prepared = config.plugin === 'pipe' ? undefined : await this.#prepare();
    const key = await this.#world.keyOf(wish, signal);
    this.#shared = this.#connections.get(key, wish);
    await using share = this.#shared.share({
      log: this.#log,
      waitMs: config.wait * 1000,
      needs: prepared?.needs ?? ['exec'],
      keepalive: prepared?.keepalive ?? true,
      warm: prepared === undefined,
    });
    this.#share = share;
    using _hold = config.lazy ? undefined : share.supervisor.hold();
    // It is not waited for: listeners stand at once, and their clients wait.
    if (!config.lazy) share.supervisor.current({ signal }).catch(() => undefined);
    if (prepared !== undefined) {
      const { connection, supervisor } = share;
      const settings = await this.#world.settingsOf?.(wish, signal);
      return await prepared.run({ ...this.#context(signal), connection, supervisor, settings });
    }
    return await serveRawEndpoint(share.connection, {
      nearEnd: parseNearEnd(config.listen ?? ''),
      command: config.words.join(' '), // as ssh joins its arguments
      signal,
      log: this.#log,
      onListening: (place) => this.#stands(place),
    });
  }

  async #prepare(): Promise<PreparedPlugin> {
    const plugin = await this.#world.plugins.load(this.config.plugin);
    const prepared = plugin.prepare(this.config.options, this.config.words);
    if (prepared.lifetime === 'resident') return prepared;
    throw new ViasshError('CONFIG_INVALID', `${plugin.name} with these options does not stay: it is no tunnel`, {
      hint: 'give it a place to listen on (listen: …)',
    });
  }

  #context(signal: AbortSignal): Omit<PluginContext, 'connection'> {
    const output = lineOutput((line) => {
      this.#log.info(line);
      if (line.startsWith(LISTENING)) this.#listeners = [...this.#listeners, line.slice(LISTENING.length)];
    });
    const error = lineOutput((line) => this.#log.info(line));
    return {
      stdio: { input: Readable.from([]), output, error },
      programs: this.#world.programs,
      signal,
      log: this.#log,
      json: false,
      ready: () => this.#stands(),
    };
  }

  #stands(place?: string): void {
    if (place !== undefined) this.#listeners = [place];
    this.#pause = FIRST_PAUSE;
    if (this.#state !== 'starting') return;
    this.#enter('up');
    this.#watchAnew();
  }

  #watchAnew(): void {
    this.#watch?.[Symbol.dispose]();
    this.#watch = undefined;
    this.#probed = undefined;
    const { probe } = this.#config;
    const share = this.#share;
    if (probe === undefined || share === undefined || this.#state !== 'up') return;
    this.#watch = watchTunnel(
      probe,
      probeEnds(share.connection, () => this.#listeners[0]),
      {
        clock: this.#world.clock,
        log: this.#log,
        isUp: () => share.supervisor.state.kind === 'up',
        onResult: (result) => (this.#probed = result),
      },
    );
  }

  /** As one that was asked to stay `untilIdle`. */
  #endedByItself(exit: ExitStatus): void {
    if (exit.kind !== 'status' || exit.code !== 0)
      return this.#failed(new ViasshError('PROGRAM_FAILED', `it has ended: ${describeExit(exit)}`));
    this.#log.info('it has ended by itself');
    this.#enter('down');
  }

  #failed(error: ViasshError): void {
    this.#lastError = error;
    this.#enter('failed');
    const { kind } = error.entry;
    const seconds = this.#pause / 1000;
    const next = kind === 'transient' ? `; again in ${seconds} s` : '';
    this.#log.error(`${error.message} (${error.code})${error.hint === undefined ? '' : `; ${error.hint}`}${next}`);
    if (kind !== 'transient') return;
    this.#retry = this.#world.clock.setTimeout(() => this.up(), this.#pause);
    this.#retry.unref();
    this.#pause = Math.min(this.#pause * 2, LONGEST_PAUSE);
  }

  #enter(state: TunnelStatus['state']): void {
    this.#state = state;
    this.#since = this.#world.clock.wall();
    if (state === 'starting') {
      this.#lastError = undefined;
      this.#listeners = [];
      this.#decided = Promise.withResolvers();
      return;
    }
    if (state !== 'up') {
      this.#listeners = [];
      this.#watchAnew();
    }
    this.#decided.resolve();
  }

  #clearRetry(): void {
    this.#world.clock.clearTimeout(this.#retry);
    this.#retry = undefined;
  }
}
