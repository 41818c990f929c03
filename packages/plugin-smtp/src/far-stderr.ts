import type { Readable } from 'node:stream';
import { type Logger, sanitize } from '@viassh/core';

const MOST_KEPT = 4096; // characters, also of one line

/** What a far end says on its stderr: each line to `log.info`; `lastLine` is there for a diagnosis. */
export interface FarStderr {
  /** The last line with something in it, raw; empty when there was none. */
  readonly lastLine: string;
  /** Resolves when nothing more will come; never rejects. */
  readonly ended: Promise<void>;
}

/** Reads a far end's stderr to its end. */
export function readFarStderr(stderr: Readable, log: Logger): FarStderr {
  let rest = '';
  let lastLine = '';
  const say = (line: string): void => {
    if (line.trim() === '') return;
    lastLine = line.trim();
    log.info(`far end: ${sanitize(line)}`);
  };
  stderr.setEncoding('utf8').on('data', (text: string) => {
    const lines = (rest + text).split('\n');
    rest = lines.pop() ?? '';
    lines.forEach(say);
    if (rest.length > MOST_KEPT) {
      say(rest.slice(0, MOST_KEPT));
      rest = '';
    }
  });
  const { promise: ended, resolve } = Promise.withResolvers<void>();
  const onEnd = (): void => {
    say(rest);
    rest = '';
    resolve();
  };
  stderr.once('end', onEnd).once('close', onEnd).once('error', onEnd);
  if (stderr.readableEnded || stderr.destroyed) onEnd();
  return {
    get lastLine() {
      return lastLine;
    },
    ended,
  };
}
