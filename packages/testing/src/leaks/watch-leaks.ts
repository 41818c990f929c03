import { existsSync } from 'node:fs';
import type { Test } from 'tap';
import { findLeaks, type InventoryOptions, takeInventory } from './inventory.ts';

/**
 * Counts before and after: descriptors and listening sockets of this process, its programs (orphans too), and entries
 * of the folders named. Call it first in a suite: teardowns run in reverse order, so this one looks last, waits up to
 * 3 s, and fails the test naming what is left. Elsewhere than on Linux it says that it is skipped.
 */
export async function watchLeaks(t: Test, options: InventoryOptions = {}): Promise<void> {
  if (!existsSync('/proc/self/fd')) {
    t.pass('nothing is left', { skip: 'leaks are counted on Linux only' });
    return;
  }
  const before = await takeInventory(options);
  t.teardown(async () => {
    const left = await findLeaks(before, options);
    if (left.length > 0) throw new Error(`left behind:\n${left.join('\n')}`);
  });
}
