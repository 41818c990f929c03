import { constants } from 'node:fs';
import { type FileHandle, open, rename } from 'node:fs/promises';
import type { Clock } from '@viassh/core';

/** How a {@link LogFile} is kept. */
export interface LogFileOptions {
  readonly path: string;
  /** When it has so many bytes it becomes `PATH.1`, which replaces the one before. */
  readonly mostBytes: number;
  readonly clock: Clock;
  /** Told once when it cannot be written any more, and `undefined` when it can again. */
  readonly onTrouble: (code: string | undefined) => void;
}

const MOST_WAITING = 1000; // lines that are not written yet
const PAUSE_MS = 5000; // after a failure: a full disk is not asked for each line

/**
 * A log file of bounded size, for its owner alone. Writing it never fails and never waits: what a full disk does not take is
 * left out.
 */
export class LogFile implements AsyncDisposable {
  readonly #options: LogFileOptions;
  #waiting: string[] = [];
  #leftOut = 0;
  #writing: Promise<void> | undefined;
  #handle: FileHandle | undefined;
  #bytes = 0;
  #failedAt: number | undefined;

  constructor(options: LogFileOptions) {
    this.#options = options;
  }

  /** Adds a line; its end is added here. */
  write(line: string): void {
    const pausing = this.#failedAt !== undefined && this.#options.clock.now() - this.#failedAt < PAUSE_MS;
    if (pausing || this.#waiting.length >= MOST_WAITING) {
      this.#leftOut += 1;
      return;
    }
    this.#waiting.push(line);
    this.#writing ??= this.#drain();
  }

  /** All that was said so far is in the file, or left out. */
  async flush(): Promise<void> {
    await this.#writing;
  }

  async [Symbol.asyncDispose](): Promise<void> {
    await this.flush();
    await this.#forgetHandle();
  }

  async #drain(): Promise<void> {
    await Promise.resolve(); // lines of one turn go in one call
    while (this.#waiting.length > 0) {
      const lines = this.#waiting;
      this.#waiting = [];
      try {
        await this.#append(lines);
        if (this.#failedAt !== undefined) this.#options.onTrouble(undefined);
        this.#failedAt = undefined;
        this.#leftOut = 0;
      } catch (error) {
        this.#leftOut += lines.length + this.#waiting.length;
        this.#waiting = [];
        await this.#forgetHandle();
        if (this.#failedAt === undefined) this.#options.onTrouble((error as NodeJS.ErrnoException).code ?? 'unknown');
        this.#failedAt = this.#options.clock.now();
      }
    }
    this.#writing = undefined;
  }

  async #append(lines: readonly string[]): Promise<void> {
    const gap = this.#leftOut === 0 ? [] : [`(${this.#leftOut} lines are missing here)`];
    const bytes = Buffer.from([...gap, ...lines, ''].join('\n'));
    this.#handle ??= await this.#open();
    if (this.#bytes > 0 && this.#bytes + bytes.length > this.#options.mostBytes) {
      await this.#turnOver();
      this.#handle = await this.#open();
    }
    await this.#handle.appendFile(bytes);
    this.#bytes += bytes.length;
  }

  async #open(): Promise<FileHandle> {
    const { O_APPEND, O_CREAT, O_NOFOLLOW, O_WRONLY, O_NONBLOCK } = constants;
    const handle = await open(this.#options.path, O_APPEND | O_CREAT | O_NOFOLLOW | O_WRONLY | O_NONBLOCK, 0o600);
    this.#bytes = (await handle.stat()).size;
    return handle;
  }

  async #turnOver(): Promise<void> {
    await this.#forgetHandle();
    await rename(this.#options.path, `${this.#options.path}.1`);
  }

  async #forgetHandle(): Promise<void> {
    const handle = this.#handle;
    this.#handle = undefined;
    this.#bytes = 0;
    await handle?.close().catch(() => undefined);
  }
}
