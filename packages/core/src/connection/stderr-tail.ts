import type { Readable } from 'node:stream';
import { sanitize } from '../errors/sanitize.ts';
import type { Logger } from '../log/logger.ts';

/** What a command said on its stderr. */
export interface StderrTail {
  /** The end of it, raw. */
  readonly text: string;
  /** Its last line with something in it; empty when there was none. */
  readonly lastLine: string;
  /** Resolves when nothing more will come; never rejects. */
  readonly ended: Promise<void>;
}

const MOST_KEPT = 4096; // bytes, also of one line

/**
 * Reads a command's stderr, where there is one, to its end: each line to `log.info` with `who` before it, the last 4 KiB
 * kept for a diagnosis.
 */
export function watchStderr(stderr: Readable | undefined, who: string, log: Logger): StderrTail {
  if (stderr === undefined) return { text: '', lastLine: '', ended: Promise.resolve() };
  let kept = Buffer.alloc(0);
  const decoder = new TextDecoder(); // a character may be in two chunks
  let rest = '';
  const say = (line: string): void => {
    if (line.trim() !== '') log.info(`${who}: ${sanitize(line)}`);
  };
  stderr.on('data', (chunk: Buffer) => {
    kept = Buffer.concat([kept, chunk]).subarray(-MOST_KEPT);
    const lines = (rest + decoder.decode(chunk, { stream: true })).split('\n');
    rest = lines.pop() ?? '';
    lines.forEach(say);
    if (rest.length > MOST_KEPT) {
      say(rest);
      rest = '';
    }
  });
  const ended = new Promise<void>((resolve) => {
    const onEnd = (): void => {
      say(rest);
      rest = '';
      resolve();
    };
    stderr.once('end', onEnd).once('close', onEnd).once('error', onEnd);
    if (stderr.readableEnded || stderr.destroyed) onEnd();
  });
  return {
    get text() {
      return kept.toString('utf8');
    },
    get lastLine() {
      return (
        kept
          .toString('utf8')
          .split('\n')
          .map((line) => line.trim())
          .filter((line) => line !== '')
          .at(-1) ?? ''
      );
    },
    ended,
  };
}
