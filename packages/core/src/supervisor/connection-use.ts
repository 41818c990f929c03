import type { Channel } from '../connection/channel.ts';
import type { Connection } from '../connection/connection.ts';
import type { PacketChannel } from '../connection/packet-channel.ts';
import { isViasshError, ViasshError } from '../errors/viassh-error.ts';
import { endFarSshd, type Eviction, type FarSshd, findFarSshd } from './far-sshd.ts';
import type { Supervisor } from './supervisor.ts';
import { countBytes, type TrafficCounter } from './traffic.ts';
import { SupervisedTun } from './supervised-tun.ts';

/** One of the connections that a supervised one is, and the channels that were opened on it. */
export class ConnectionUse {
  readonly connection: Connection;
  /** Resolves when the connection has ended. */
  readonly over: Promise<void>;
  readonly #supervisor: Pick<Supervisor, 'hold'>;
  readonly #traffic: TrafficCounter;
  readonly #open = new Map<object, { readonly hold: Disposable; readonly end: (error?: ViasshError) => void }>();
  #idle = Promise.withResolvers<void>();
  readonly #evictions = new Map<string, Promise<Eviction>>();
  #farSshd: Promise<FarSshd | undefined> | undefined;
  #ended = false;
  #givenUp: ViasshError | undefined;

  constructor(connection: Connection, supervisor: Pick<Supervisor, 'hold'>, traffic: TrafficCounter) {
    this.connection = connection;
    this.#supervisor = supervisor;
    this.#traffic = traffic;
    this.over = this.#untilOver();
  }

  /** May something be opened on it? */
  get alive(): boolean {
    return !this.#ended && this.#givenUp === undefined;
  }

  /** Counts a channel, and what passes through it; it is in use until it closes. */
  adopt<T extends Channel>(channel: T): T {
    if (this.#givenUp !== undefined) {
      channel.on('error', ignore).destroy(this.#givenUp);
      return channel;
    }
    countBytes(channel, this.#traffic);
    this.#take(channel, (error) => void channel.destroy(error));
    if (channel.closed) this.#release(channel);
    else channel.once('close', () => this.#release(channel));
    return channel;
  }

  /** The same for packets. */
  adoptTun(inner: PacketChannel): PacketChannel {
    const tun = new SupervisedTun(inner, this.#traffic);
    this.#take(tun, (error) => tun.end(error));
    const release = (): void => this.#release(tun);
    tun.closed.then(release, release);
    if (this.#givenUp !== undefined) tun.end(this.#givenUp);
    return tun;
  }

  /**
   * What an opening failed with, when the connection was lost under it; undefined for every other reason. That the
   * supervisor closed a connection which it found dead is a loss to whoever was using it.
   */
  lossOf(error: unknown): ViasshError | undefined {
    if (isViasshError(error, 'CONNECTION_LOST')) return error;
    return isViasshError(error, 'CONNECTION_CLOSED') ? (this.#givenUp ?? lost(error)) : undefined;
  }

  /** It is to be closed as lost: what is open ends with the reason, before closing would end it as if all were well. */
  giveUp(reason?: ViasshError): void {
    if (!this.alive) return;
    this.#givenUp = isViasshError(reason, 'CONNECTION_LOST') ? reason : lost(reason);
    this.endAll(this.#givenUp);
  }

  /** The process that serves this connection; looked for once. */
  farSshd(): Promise<FarSshd | undefined> {
    return (this.#farSshd ??= findFarSshd(this.connection));
  }

  /** Ends the one that served an earlier connection; once, however many forwards it still holds. */
  evict(sshd: FarSshd, signal: AbortSignal): Promise<Eviction> {
    const key = `${sshd.pid} ${sshd.started} ${sshd.boot}`;
    const asked = this.#evictions.get(key) ?? endFarSshd(this.connection, sshd, signal);
    this.#evictions.set(key, asked);
    return asked;
  }

  /** Closes the channels that are open. */
  endAll(error?: ViasshError): void {
    for (const { end } of this.#open.values()) end(error);
  }

  /** Resolves when no channel is open. */
  async idle(): Promise<void> {
    if (this.#open.size > 0) await this.#idle.promise;
  }

  async #untilOver(): Promise<void> {
    await this.connection.closed;
    this.#ended = true;
    for (const channel of this.#open.keys()) this.#release(channel); // some wait to be read, on nothing
  }

  #take(channel: object, end: (error?: ViasshError) => void): void {
    this.#open.set(channel, { hold: this.#supervisor.hold(), end });
    this.#traffic.open += 1;
    this.#traffic.channels += 1;
  }

  #release(channel: object): void {
    const entry = this.#open.get(channel);
    if (entry === undefined) return;
    this.#open.delete(channel);
    this.#traffic.open -= 1;
    entry.hold[Symbol.dispose]();
    if (this.#open.size > 0) return;
    this.#idle.resolve();
    this.#idle = Promise.withResolvers();
  }
}

function lost(cause?: unknown): ViasshError {
  return new ViasshError('CONNECTION_LOST', 'the connection did not answer any more and was given up', { cause });
}

function ignore(): void {
  // it is told by whoever waits for the channel
}
