import { join } from 'node:path';
import { type Clock, createLogger, type Logger, type LogLevel, sanitize } from '@viassh/core';
import { followLines, type LineFollower } from './follow-lines.ts';
import { LineRing } from './line-ring.ts';
import { LogFile } from './log-file.ts';

/** How logs are kept. */
export interface TunnelLogsOptions {
  readonly clock: Clock;
  readonly level: LogLevel;
  /** Hands on every line, for instance to stderr. */
  readonly write?: ((line: string) => void) | undefined;
  /** Log files go here, `NAME.log` and the one before it, `NAME.log.1`; it is there. Undefined: none are written. */
  readonly folder?: string | undefined;
  /** Bytes of one file. Default: 1 MiB. */
  readonly mostBytes?: number | undefined;
  /** Lines of each tunnel, and of all together, that stay in memory. Default: 500. */
  readonly mostLines?: number | undefined;
}

/** What tunnels say, by their names: the latest lines in memory, and files. Bounded in all of it. */
export interface TunnelLogs extends AsyncDisposable {
  /** Of a tunnel, or of the broker itself. */
  logger(name?: string): Logger;
  /** The latest lines, oldest first: of one tunnel, or of all and the broker. */
  lines(name?: string): readonly string[];
  /** {@link lines}, then each that comes, until the signal. */
  follow(name: string | undefined, signal: AbortSignal): AsyncIterable<string>;
  /** Its lines are no longer kept in memory. */
  forget(name: string): void;
  /** What was said is in the files. */
  flush(): Promise<void>;
}

/** No tunnel can have this name. */
const OWN_FILE = '_broker';

interface Book {
  readonly ring: LineRing;
  readonly file: LogFile | undefined;
}

/** Logs of one broker. A line: time (ISO 8601, UTC), name, what is worse than `info`, message; control characters are shown. */
export function createTunnelLogs(options: TunnelLogsOptions): TunnelLogs {
  const { clock, level, write, folder, mostBytes = 1_048_576, mostLines = 500 } = options;
  const all = new LineRing(mostLines);
  const books = new Map<string | undefined, Book>();
  const followers = new Map<LineFollower, string | undefined>();

  const remember = (name: string | undefined, ring: LineRing, line: string): void => {
    ring.push(line);
    all.push(line);
    write?.(line);
    for (const [follower, wanted] of followers) if (wanted === undefined || wanted === name) follower.push(line);
  };
  const lineOf = (name: string | undefined, own: LogLevel, message: string): string => {
    const grade = own === 'error' || own === 'warning' ? `${own}: ` : '';
    return `${new Date(clock.wall()).toISOString()} ${name ?? 'broker'}: ${grade}${sanitize(message)}`;
  };
  const bookOf = (name: string | undefined): Book => {
    const known = books.get(name);
    if (known !== undefined) return known;
    const ring = new LineRing(mostLines);
    const onTrouble = (code: string | undefined): void =>
      remember(name, ring, lineOf(name, 'warning', troubleOf(code)));
    const path = folder === undefined ? undefined : join(folder, `${name ?? OWN_FILE}.log`);
    const file = path === undefined ? undefined : new LogFile({ path, mostBytes, clock, onTrouble });
    const book = { ring, file };
    books.set(name, book);
    return book;
  };
  const lines = (name: string | undefined): readonly string[] =>
    (name === undefined ? all : books.get(name)?.ring)?.lines ?? [];
  const flush = async (): Promise<void> => {
    await Promise.all([...books.values()].map(async ({ file }) => await file?.flush()));
  };

  return {
    logger: (name) =>
      createLogger(level, (own, message) => {
        const { ring, file } = bookOf(name);
        const line = lineOf(name, own, message);
        remember(name, ring, line);
        file?.write(line);
      }),
    lines,
    async *follow(name, signal) {
      const follower = followLines(lines(name));
      const end = (): void => follower.end();
      followers.set(follower, name);
      signal.addEventListener('abort', end);
      if (signal.aborted) end();
      try {
        yield* follower;
      } finally {
        signal.removeEventListener('abort', end);
        followers.delete(follower);
      }
    },
    forget: (name) => {
      void books.get(name)?.file?.[Symbol.asyncDispose]();
      books.delete(name);
    },
    flush,
    async [Symbol.asyncDispose]() {
      for (const follower of followers.keys()) follower.end();
      await Promise.all([...books.values()].map(async ({ file }) => await file?.[Symbol.asyncDispose]()));
    },
  };
}

function troubleOf(code: string | undefined): string {
  if (code === undefined) return 'the log file is written again';
  const why = code === 'ENOSPC' || code === 'EDQUOT' ? 'the disk is full' : code;
  return `the log file cannot be written (${why}): the latest lines are in memory alone; it is tried again`;
}
