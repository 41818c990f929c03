import { setTimeout as delay } from 'node:timers/promises';

/** How {@link waitUntil} waits. */
export interface WaitOptions {
  /** Milliseconds until it gives up. Default: 5000. */
  readonly withinMs?: number | undefined;
  /** Milliseconds between two looks. Default: 10. */
  readonly everyMs?: number | undefined;
}

/**
 * Looks again and again until `look` gives something else than `undefined` or `false`, and gives that.
 *
 * @throws Error naming `what` when the time is over.
 */
export async function waitUntil<T>(
  what: string,
  look: () => T | undefined | false | Promise<T | undefined | false>,
  { withinMs = 5000, everyMs = 10 }: WaitOptions = {},
): Promise<T> {
  const end = performance.now() + withinMs;
  for (;;) {
    const found = await look();
    if (found !== undefined && found !== false) return found;
    if (performance.now() > end) throw new Error(`waited ${withinMs} ms in vain: ${what}`);
    await delay(everyMs);
  }
}
