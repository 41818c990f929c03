import { type Clock, createLogger, type Logger } from '@viassh/core';

const MOST_LINES = 1000;

interface Entry {
  readonly name: string;
  readonly line: string;
}

/** The latest lines of each tunnel, and who follows them. */
export class LogBook {
  readonly #clock: Clock;
  readonly #entries: Entry[] = [];
  readonly #followers = new Set<(entry: Entry) => void>();

  constructor(clock: Clock) {
    this.#clock = clock;
  }

  /** Writes to the book under this name, and to `log` with the name before each line. */
  logger(name: string, log: Logger): Logger {
    return createLogger('debug', (level, message) => {
      if (level === 'quiet') return;
      log[level](`${name}: ${message}`);
      if (level !== 'debug') this.#add(name, `${new Date(this.#clock.wall()).toISOString()} ${level} ${message}`);
    });
  }

  /** Oldest first; of one tunnel, or of all with their names. */
  lines(name?: string): readonly string[] {
    return this.#entries
      .filter((entry) => name === undefined || entry.name === name)
      .map((entry) => shown(entry, name));
  }

  follow(name: string | undefined, listener: (line: string) => void): Disposable {
    const follower = (entry: Entry): void => {
      if (name === undefined || entry.name === name) listener(shown(entry, name));
    };
    this.#followers.add(follower);
    return { [Symbol.dispose]: () => void this.#followers.delete(follower) };
  }

  #add(name: string, line: string): void {
    const entry = { name, line };
    this.#entries.push(entry);
    if (this.#entries.length > MOST_LINES) this.#entries.shift();
    for (const follower of this.#followers) follower(entry);
  }
}

function shown({ name, line }: Entry, only: string | undefined): string {
  return only === undefined ? `${name}: ${line}` : line;
}
