import { abortedError, isViasshError } from '../errors/viassh-error.ts';

/** How spare sessions are made and thrown away. */
export interface SpareSessionOptions<C> {
  /** Opens a session channel on which nothing was requested yet. */
  readonly open: () => Promise<C>;
  readonly discard: (channel: C) => void;
  /** Milliseconds after which one that nobody wanted is closed: it would keep sshd's UnusedConnectionTimeout from ever counting. */
  readonly idleMs?: number | undefined;
  /** It stays until it is used, however long that is. */
  readonly kept?: boolean | undefined;
}

/**
 * A session channel opened ahead, so that the next command waits one round trip and not two. The first comes after the
 * first use, or with the first `used()`. A server that refuses a session is at its MaxSessions: from then on none is opened ahead any more.
 */
export class SpareSession<C> {
  readonly #options: SpareSessionOptions<C>;
  #ready: C | undefined;
  #pending: Promise<void> | undefined;
  #timer: NodeJS.Timeout | undefined;
  #off = false;

  constructor(options: SpareSessionOptions<C>) {
    this.#options = options;
  }

  /** The channel that is ready now, untouched; it stays the spare. For a ping. Opens one when it may. */
  async peek(): Promise<C | undefined> {
    await (this.#ready === undefined ? (this.#pending ?? this.#openAhead()) : undefined);
    if (this.#ready !== undefined) this.#waitForUse();
    return this.#ready;
  }

  /**
   * A session channel for use: the spare, or a new one. Where the server refuses a new one and the spare has come
   * meanwhile, that.
   *
   * @throws what `open` throws; ABORTED
   */
  async acquire(open: () => Promise<C>, signal?: AbortSignal): Promise<C> {
    const spare = this.#take() ?? (await this.#takePending(signal));
    if (spare !== undefined) return spare;
    try {
      return await open();
    } catch (error) {
      const late = isViasshError(error, 'CHANNEL_REFUSED')
        ? (this.#take() ?? (await this.#takePending(signal)))
        : undefined;
      if (late !== undefined) return late;
      if (isViasshError(error, 'CHANNEL_REFUSED')) this.switchOff();
      throw error;
    }
  }

  /** A session was started: time to have the next one ready. */
  used(): void {
    if (this.#ready === undefined && this.#pending === undefined) void this.#openAhead();
  }

  /** A channel of ours has closed by itself. */
  gone(channel: C): void {
    if (this.#ready === channel) this.#take();
  }

  /** No more, and the one that is there is closed. */
  switchOff(): void {
    this.#off = true;
    const spare = this.#take();
    if (spare !== undefined) this.#options.discard(spare);
  }

  async #takePending(signal: AbortSignal | undefined): Promise<C | undefined> {
    if (this.#pending === undefined) return undefined;
    const aborted = Promise.withResolvers<never>();
    aborted.promise.catch(() => undefined);
    const onAbort = (): void => aborted.reject(abortedError(signal?.reason));
    signal?.addEventListener('abort', onAbort, { once: true });
    if (signal?.aborted === true) onAbort();
    try {
      await Promise.race([this.#pending, aborted.promise]);
    } finally {
      signal?.removeEventListener('abort', onAbort);
    }
    return this.#take();
  }

  #take(): C | undefined {
    const spare = this.#ready;
    this.#ready = undefined;
    clearTimeout(this.#timer);
    return spare;
  }

  #openAhead(): Promise<void> {
    if (this.#off) return Promise.resolve();
    return (this.#pending = this.#open());
  }

  /** Never rejects: whoever waits for it goes the usual way instead. */
  async #open(): Promise<void> {
    try {
      const channel = await this.#options.open();
      if (this.#off) return this.#options.discard(channel);
      this.#ready = channel;
      this.#waitForUse();
    } catch {
      this.#off = true;
    } finally {
      this.#pending = undefined;
    }
  }

  #waitForUse(): void {
    clearTimeout(this.#timer);
    if (this.#options.kept === true) return;
    this.#timer = setTimeout(() => {
      const spare = this.#take();
      if (spare !== undefined) this.#options.discard(spare);
    }, this.#options.idleMs ?? 60_000);
    this.#timer.unref();
  }
}
