import type { Writable } from 'node:stream';

const BLOCK = Buffer.alloc(65_536);
const AT_ONCE = 8;

/** Writes as much as is taken, for as long as something is. */
export function flood(stream: Writable): void {
  const more = (): void => {
    if (stream.writable) stream.write(BLOCK, (error) => void (error == null && setImmediate(more)));
  };
  for (let round = 0; round < AT_ONCE; round += 1) more();
}
