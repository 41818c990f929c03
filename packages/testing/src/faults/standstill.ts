import type { Readable } from 'node:stream';
import { waitUntil } from '../processes/wait-until.ts';

const SAME_LOOKS = 10;

/** Resolves when nobody reads a stream and nothing comes any more: all windows on the way are full. */
export async function standstill(stream: Readable): Promise<void> {
  let [last, same] = [0, 0];
  await waitUntil('nothing to come any more', () => {
    stream.read(0); // some ask for nothing before they are asked
    const now = stream.readableLength;
    same = now > 0 && now === last ? same + 1 : 0;
    last = now;
    return same >= SAME_LOOKS;
  });
}
