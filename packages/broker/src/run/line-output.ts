import { Writable } from 'node:stream';
import { sanitize } from '@viassh/core';

const LONGEST = 4096;

/** An output of a plugin, as lines: what a terminal would show. One without an end is cut at 4 KiB. */
export function lineOutput(tell: (line: string) => void): Writable {
  let rest = '';
  return new Writable({
    decodeStrings: false,
    write(chunk: string | Buffer, _encoding, done) {
      const lines = (rest + chunk.toString()).split('\n');
      rest = (lines.pop() ?? '').slice(0, LONGEST);
      for (const line of lines) tell(sanitize(line));
      done();
    },
  });
}
