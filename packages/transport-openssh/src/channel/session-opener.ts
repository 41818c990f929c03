import { abortedError, sessionEnvironment, type SessionRequest, type SparePolicy, SpareSession } from '@viassh/core';
import type { ProxySession } from './proxy-session.ts';
import { ProxySessionChannel } from './proxy-session-channel.ts';

/** What every session of a connection is given, and whether one is opened ahead. */
export interface SessionSetup {
  readonly env: Readonly<Record<string, string>>;
  /** The master has an agent for the far end: the session is to know it. */
  readonly forwardsAgent: boolean;
  readonly spare: SparePolicy;
}

/** Session channels of one mux proxy, and the round trip that is measured on them. */
export class SessionOpener {
  readonly #session: ProxySession;
  readonly #setup: SessionSetup;
  readonly #spare: SpareSession<ProxySessionChannel> | undefined;
  readonly #started = new Set<ProxySessionChannel>();

  constructor(session: ProxySession, setup: SessionSetup) {
    this.#session = session;
    this.#setup = setup;
    if (setup.spare !== false) {
      const kept = setup.spare === 'kept';
      this.#spare = new SpareSession({
        open: () => this.#openBare(undefined, true),
        discard: (channel) => void channel.destroy(),
        kept,
      });
      if (kept) this.#spare.used();
    }
  }

  async open(request: SessionRequest): Promise<ProxySessionChannel> {
    const { signal } = request;
    if (signal?.aborted === true) throw abortedError(signal.reason);
    const openNew = (): Promise<ProxySessionChannel> => this.#openBare(signal, false);
    const release = this.#session.hold();
    try {
      const channel = (await this.#spare?.acquire(openNew, signal)) ?? (await openNew());
      if (await this.#start(channel, request)) return channel;
      const second = await openNew(); // the spare had been closed before it heard of us: nothing was run
      await this.#start(second, request);
      return second;
    } finally {
      release();
    }
  }

  /** Milliseconds of a round trip; undefined where there is no session channel to measure it on. */
  async ping(signal: AbortSignal | undefined): Promise<number | undefined> {
    if (this.#session.refusal !== undefined) throw this.#session.refusal;
    const aborted = abortOf(signal);
    const release = this.#session.hold();
    try {
      const spare = await Promise.race([this.#spare?.peek(), aborted.promise]);
      for (const channel of [...(spare === undefined ? [] : [spare]), ...this.#started]) {
        const asked = performance.now();
        if (await Promise.race([channel.echo(), aborted.promise])) return performance.now() - asked;
      }
    } finally {
      aborted.release();
      release();
    }
    if (this.#session.ended !== undefined) throw this.#session.ended;
    return undefined;
  }

  /** None is opened ahead any more, and what was is closed. */
  stop(): void {
    this.#spare?.switchOff();
  }

  async #openBare(signal: AbortSignal | undefined, background: boolean): Promise<ProxySessionChannel> {
    return await this.#session.open(
      { type: 'session' },
      [],
      (init) => {
        const channel: ProxySessionChannel = new ProxySessionChannel({
          ...init,
          onGone: () => {
            init.onGone();
            if (!this.#started.delete(channel)) queueMicrotask(() => channel.destroy()); // nobody would read it to its end
            this.#spare?.gone(channel);
          },
        });
        return channel;
      },
      { signal, background },
    );
  }

  /** False when the channel turns out to have been closed at the far end before the request came there. */
  async #start(channel: ProxySessionChannel, request: SessionRequest): Promise<boolean> {
    const { signal } = request;
    const { env, forwardsAgent } = this.#setup;
    const wasSpare = this.#session.adopt(channel.id);
    this.#started.add(channel);
    const onAbort = (): void => void channel.destroy();
    signal?.addEventListener('abort', onAbort, { once: true });
    if (signal?.aborted === true) onAbort();
    try {
      const answered = await channel.start(
        { ...request, env: sessionEnvironment(env, request) },
        forwardsAgent,
        wasSpare,
      );
      if (signal?.aborted === true) throw abortedError(signal.reason);
      if (this.#session.ended !== undefined) throw this.#session.ended;
      if (answered) this.#spare?.used();
      else channel.destroy();
      return answered;
    } catch (error) {
      channel.destroy();
      if (signal?.aborted === true) throw abortedError(signal.reason);
      throw this.#session.ended ?? error;
    } finally {
      signal?.removeEventListener('abort', onAbort);
    }
  }
}

function abortOf(signal: AbortSignal | undefined): { promise: Promise<never>; release: () => void } {
  const { promise, reject } = Promise.withResolvers<never>();
  promise.catch(() => undefined);
  const onAbort = (): void => reject(abortedError(signal?.reason));
  signal?.addEventListener('abort', onAbort, { once: true });
  if (signal?.aborted === true) onAbort();
  return { promise, release: () => signal?.removeEventListener('abort', onAbort) };
}
