import type { Readable } from 'node:stream';
import { waitUntil } from '@viassh/testing';

/** What a stream said so far. */
export interface Overheard {
  text(): string;
  /** Waits for it; gives all that was said by then. */
  until(pattern: RegExp): Promise<string>;
}

/** Reads a stream to its end, from now on. */
export function overhear(stream: Readable): Overheard {
  const chunks: Buffer[] = [];
  stream.on('data', (chunk: Buffer) => chunks.push(chunk));
  const text = (): string => Buffer.concat(chunks).toString();
  const until = async (pattern: RegExp): Promise<string> => {
    await waitUntil(`${pattern.source} in '${text()}'`, () => pattern.test(text()), { withinMs: 20_000 });
    return text();
  };
  return { text, until };
}
