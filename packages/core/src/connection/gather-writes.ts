import type { Writable } from 'node:stream';

const gathering = new WeakSet<Writable>();

/**
 * What is written to a stream from now until all that happened in this turn of the event loop is dealt with goes out in one
 * system call: many channels that each have a little to say do not pay for a call each. Nothing waits for a timer.
 */
export function gatherWrites(stream: Writable): void {
  if (gathering.has(stream)) return;
  gathering.add(stream);
  stream.cork();
  setImmediate(() => {
    gathering.delete(stream);
    stream.uncork();
  });
}
