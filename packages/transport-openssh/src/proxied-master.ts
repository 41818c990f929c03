import { setTimeout as delay } from 'node:timers/promises';
import { type ConnectionInfo, ViasshError } from '@viassh/core';
import { ProxySession } from './channel/proxy-session.ts';
import { SessionOpener, type SessionSetup } from './channel/session-opener.ts';
import type { Forwards } from './forwards.ts';
import type { RouteMasters } from './master/route-masters.ts';
import { type MuxProxy, openMuxProxy } from './mux/open-mux-proxy.ts';

/** How long ssh gets to say why, after its control socket closed on us; milliseconds. */
const LAST_WORDS = 1000;

/** What a master is made use of with. */
export interface ProxiedMasterOptions {
  readonly setup: SessionSetup;
  /** Absent: this connection has no remote forwards. */
  readonly forwards?: ((master: RouteMasters) => Forwards) | undefined;
  readonly mostSlots?: number | undefined;
  /** Called whenever nothing of it is used any more. */
  readonly onUnused?: (() => void) | undefined;
}

/** The masters of a route with all that we have on it: channels, sessions, remote forwards. */
export class ProxiedMaster {
  readonly info: ConnectionInfo;
  readonly session: ProxySession;
  readonly sessions: SessionOpener;
  readonly forwards: Forwards | undefined;
  /** Resolves when it serves us no more: undefined when we left it, else why it was lost. */
  readonly ended: Promise<ViasshError | undefined>;
  readonly #master: RouteMasters;
  #left = false;

  constructor(master: RouteMasters, proxy: MuxProxy, { setup, forwards, mostSlots, onUnused }: ProxiedMasterOptions) {
    this.#master = master;
    this.info = infoOf(master);
    this.session = new ProxySession(proxy, { mostSlots, onUnused, openLane: () => openMuxProxy(master.socketPath) });
    this.sessions = new SessionOpener(this.session, setup);
    this.forwards = forwards?.(master);
    this.ended = this.session.lanes.broken.then((failure) => this.#onSocketClosed(failure));
  }

  /** Nobody uses anything of it. */
  get isUnused(): boolean {
    return this.session.isUnused && this.forwards?.areUsed !== true;
  }

  /** From now on nothing is opened; what is open goes on. */
  refuse(error: ViasshError): void {
    this.session.refuseOpens(error);
    this.sessions.stop();
    this.forwards?.refuse(error);
  }

  /** Resolves when all that is open has ended. */
  async idle(): Promise<void> {
    await Promise.all([this.session.idle(), this.forwards?.idle()]);
  }

  /** Ends all of it, and ssh; resolves when nothing is left. What ssh says after that is nobody's concern. */
  async leave(error: ViasshError): Promise<void> {
    this.#left = true;
    this.refuse(error);
    this.session.end(error, false);
    const forwardsEnded = this.forwards?.end(error, false);
    await this.#master.stop();
    await forwardsEnded;
    await this.ended;
    await this.session.lanes.closed();
  }

  async #onSocketClosed(failure: Error | undefined): Promise<ViasshError | undefined> {
    if (this.#left) return undefined;
    const error = failure instanceof RangeError ? this.#brokenRules(failure) : await this.#lastWords();
    this.refuse(error);
    this.session.end(error, true);
    void this.forwards?.end(error, true);
    void this.#master.stop();
    return error;
  }

  /** ssh knows why the connection ended; when it does not say so in time, its socket's end is the reason. */
  async #lastWords(): Promise<ViasshError> {
    const stop = new AbortController();
    const silence = delay(LAST_WORDS, undefined, { signal: stop.signal }).then(
      () => this.#lostError('the ssh master closed its control socket'),
      () => this.#master.ended,
    );
    const error = await Promise.race([this.#master.ended, silence]);
    stop.abort();
    return error;
  }

  #brokenRules(cause: RangeError): ViasshError {
    return this.#lostError(`the far end broke the rules of the protocol: ${cause.message}`, cause);
  }

  #lostError(why: string, cause?: unknown): ViasshError {
    return new ViasshError('CONNECTION_LOST', `connection lost: ${this.#master.info.peer}: ${why}`, { cause });
  }
}

/** The last hop's, live, and all hops'. */
function infoOf({ info, hops }: RouteMasters): ConnectionInfo {
  return Object.defineProperty({ ...info, hops }, 'state', { enumerable: true, get: () => info.state });
}
