import { exitCodeOf, type ProgramRunner, ViasshError } from '@viassh/core';
import { type Fifo, openFifoWriter, readFifoLines } from '../master/fifo-lines.ts';
import type { PrivateFolder } from '../master/private-folder.ts';

const AT_ONCE = 8;
const MARK = 'viassh: that was all';

/** A FIFO for the log of one ssh at a time. */
export interface PassengerLog {
  /** For `-E`. */
  readonly path: string;
  /** From here on lines go to `onLine`. */
  follow(onLine: (line: string) => void): void;
  /** Resolves when all was read that was written before. */
  drained(): Promise<void>;
  /** Gives it back. */
  release(): void;
}

/** FIFOs in a private folder, made several at a time and used again: each costs a program's start. */
export class LogPool {
  readonly #programs: ProgramRunner;
  readonly #folder: PrivateFolder;
  readonly #free: PassengerLog[] = [];
  readonly #open: Fifo[] = [];
  #made = 0;
  #making: Promise<void> | undefined;

  constructor(programs: ProgramRunner, folder: PrivateFolder) {
    this.#programs = programs;
    this.#folder = folder;
  }

  /** @throws ViasshError TRANSPORT_UNAVAILABLE */
  async take(): Promise<PassengerLog> {
    for (;;) {
      const log = this.#free.pop();
      if (log !== undefined) return log;
      await (this.#making ??= this.#makeMore().finally(() => (this.#making = undefined)));
    }
  }

  close(): void {
    for (const fifo of this.#open.splice(0)) fifo.close();
  }

  async #makeMore(): Promise<void> {
    const names = Array.from({ length: AT_ONCE }, () => `log${(this.#made += 1)}`);
    await makeFifos(this.#programs, this.#folder, names);
    this.#free.push(...(await Promise.all(names.map((name) => this.#openLog(this.#folder.file(name))))));
  }

  async #openLog(path: string): Promise<PassengerLog> {
    let follower: ((line: string) => void) | undefined;
    let marked: (() => void) | undefined;
    const reader = await readFifoLines(path, (line) => {
      if (line === MARK) marked?.();
      else follower?.(line);
    });
    const writer = await openFifoWriter(path);
    this.#open.push(reader, writer);
    const log: PassengerLog = {
      path,
      follow: (onLine) => (follower = onLine),
      drained: async () => {
        const { promise, resolve } = Promise.withResolvers<void>();
        marked = resolve;
        writer.writeLine(MARK);
        await promise;
      },
      release: () => {
        follower = undefined;
        this.#free.push(log);
      },
    };
    return log;
  }
}

/** @throws ViasshError TRANSPORT_UNAVAILABLE, PROGRAM_NOT_FOUND */
async function makeFifos(programs: ProgramRunner, folder: PrivateFolder, names: readonly string[]): Promise<void> {
  const files = names.map((name) => folder.file(name));
  const { exit, stderr } = await programs.run({ file: 'mkfifo', args: ['-m', '600', '--', ...files] });
  if (exitCodeOf(exit) !== 0) throw new ViasshError('TRANSPORT_UNAVAILABLE', `mkfifo failed: ${stderr}`);
}
