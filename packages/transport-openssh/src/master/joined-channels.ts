/**
 * The channels that a master has joined to sockets of ours, by its log. An end both ways on such a socket says only that
 * the master has taken our bytes, not that the server has them: it frees the channel when the server has closed it, behind
 * all bytes. A server that makes up such lines only makes us wait, or not wait, for itself.
 */
export class JoinedChannels {
  readonly #open = new Set<string>();
  readonly #waits = new Set<Wait>();

  /** Channels that the master has not freed. */
  get size(): number {
    return this.#open.size;
  }

  /** Takes one line of the log, without its level. */
  note(line: string): void {
    const joined = /^channel (\d+): connected to \/\S+ port -2$/.exec(line)?.[1];
    if (joined !== undefined) this.#open.add(joined);
    const freed = /^channel (\d+): free: /.exec(line)?.[1];
    if (freed !== undefined) this.#freed(freed);
  }

  /** Resolves when those that are there now have been freed; later ones are not waited for. */
  async freed(): Promise<void> {
    if (this.#open.size === 0) return;
    await new Promise<void>((resolve) => this.#waits.add({ channels: new Set(this.#open), resolve }));
  }

  /** The master is gone, and they with it. */
  ended(): void {
    for (const channel of this.#open) this.#freed(channel);
  }

  #freed(channel: string): void {
    this.#open.delete(channel);
    for (const wait of this.#waits) {
      wait.channels.delete(channel);
      if (wait.channels.size > 0) continue;
      this.#waits.delete(wait);
      wait.resolve();
    }
  }
}

interface Wait {
  readonly channels: Set<string>;
  readonly resolve: () => void;
}
