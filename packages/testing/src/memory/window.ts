/** One direction's window, RFC 4254 §5.2: how many bytes may still be sent. It really blocks the sender. */
export class Window {
  #available: number;
  #closed = false;
  #wake: (() => void)[] = [];

  constructor(size: number) {
    this.#available = size;
  }

  /** Waits until something may be sent and takes up to `most` bytes of it; 0 when the window was closed. */
  async take(most: number): Promise<number> {
    while (this.#available === 0 && !this.#closed) await new Promise<void>((resolve) => this.#wake.push(resolve));
    if (this.#closed) return 0;
    const taken = Math.min(most, this.#available);
    this.#available -= taken;
    return taken;
  }

  /** The receiver has consumed `bytes`: WINDOW_ADJUST. */
  give(bytes: number): void {
    this.#available += bytes;
    this.#wakeAll();
  }

  /** Nothing goes any more; those who wait get 0. */
  close(): void {
    this.#closed = true;
    this.#wakeAll();
  }

  #wakeAll(): void {
    for (const wake of this.#wake.splice(0)) wake();
  }
}
