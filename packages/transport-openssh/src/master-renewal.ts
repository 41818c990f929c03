import { type Logger, silentLogger, toViasshError, ViasshError } from '@viassh/core';
import type { RouteMasters } from './master/route-masters.ts';
import { openMuxProxy } from './mux/open-mux-proxy.ts';
import { ProxiedMaster, type ProxiedMasterOptions } from './proxied-master.ts';

/** A master is left when it has refused so many opens: it never gives their places back, and dies of 16,380. */
const REFUSED_OPENS = 4000;

/** How a connection comes by a new master. */
export interface RenewalOptions {
  /** Logs in anew, to the same destination. */
  readonly renew?: ((signal: AbortSignal) => Promise<RouteMasters>) | undefined;
  /** Default: 4000 */
  readonly refusedOpens?: number | undefined;
  /** Hears of a renewal, which may ask a person, and why one failed. Default: nobody. */
  readonly log?: Logger | undefined;
}

/**
 * The master that a connection opens its channels on. One that is worn out is changed for a new one when nothing is open;
 * the new one is there before the old one is left. What was opened on the old one meanwhile ends first. A renewal that
 * fails is tried again after as many refused opens as the first took.
 */
export class MasterRenewal {
  readonly #options: ProxiedMasterOptions;
  readonly #renew: RenewalOptions['renew'];
  readonly #step: number;
  readonly #log: Logger;
  readonly #stop = new AbortController();
  readonly #onCurrent: (master: ProxiedMaster) => void;
  readonly #old = new Set<ProxiedMaster>();
  #current: ProxiedMaster;
  #renewAt: number;
  #renewing: Promise<void> | undefined;

  /** @param onCurrent is called for each master that becomes the current one */
  constructor(
    make: (options: ProxiedMasterOptions) => ProxiedMaster,
    options: ProxiedMasterOptions,
    { renew, refusedOpens = REFUSED_OPENS, log = silentLogger }: RenewalOptions,
    onCurrent: (master: ProxiedMaster) => void,
  ) {
    this.#options = { ...options, onUnused: () => this.#check() };
    this.#renew = renew;
    this.#step = refusedOpens;
    this.#log = log;
    this.#renewAt = refusedOpens;
    this.#onCurrent = onCurrent;
    this.#current = make(this.#options);
    onCurrent(this.#current);
  }

  get current(): ProxiedMaster {
    return this.#current;
  }

  /** Those that are not left yet, the current one first. */
  get all(): readonly ProxiedMaster[] {
    return [this.#current, ...this.#old];
  }

  /** No more of it; resolves when what was under way is undone. */
  async stop(): Promise<void> {
    this.#stop.abort();
    await this.#renewing;
  }

  /** Called by the current master and by old ones. */
  #check(): void {
    if (this.#renew === undefined || this.#renewing !== undefined || this.#stop.signal.aborted) return;
    if (this.#current.session.refused < this.#renewAt || !this.#current.isUnused) return;
    this.#renewing = this.#change(this.#renew).finally(() => (this.#renewing = undefined));
  }

  /** Never rejects. */
  async #change(renew: (signal: AbortSignal) => Promise<RouteMasters>): Promise<void> {
    let master: RouteMasters | undefined;
    const { peer } = this.#current.info;
    this.#log.info(`logging in to ${peer} anew: ssh keeps a place for every refused channel, and has few left`);
    try {
      master = await renew(this.#stop.signal);
      const proxy = await openMuxProxy(master.socketPath);
      const old = this.#current;
      if (this.#stop.signal.aborted || old.forwards?.areUsed === true) {
        proxy.socket.on('error', () => undefined).destroy();
        throw new ViasshError('ABORTED', 'it is in use again');
      }
      this.#current = new ProxiedMaster(master, proxy, this.#options);
      this.#renewAt = this.#step;
      this.#retire(old);
      this.#onCurrent(this.#current);
    } catch (error) {
      this.#renewAt = this.#current.session.refused + this.#step;
      if (!this.#stop.signal.aborted)
        this.#log.warning(`the connection to ${peer} was not renewed: ${toViasshError(error).message}`);
      await master?.stop();
    }
  }

  #retire(old: ProxiedMaster): void {
    this.#old.add(old);
    old.sessions.stop();
    const left = old.idle().then(() => old.leave(new ViasshError('CONNECTION_CLOSED', 'the ssh master was renewed')));
    void left.finally(() => this.#old.delete(old));
  }
}
