import { setTimeout as delay } from 'node:timers/promises';
import type { KeptForward } from './kept-forward.ts';

/** What becomes of the wire while nobody looks. */
export type Meanwhile = 'silent' | 'reset' | 'whole';

/** Suspends the program and all that it started for so long. @returns when it woke, by `performance.now()` */
export async function asleepFor(kept: KeptForward, ms: number, meanwhile: Meanwhile): Promise<number> {
  await kept.signalAll('SIGSTOP');
  if (meanwhile === 'silent') kept.relay.stall();
  else if (meanwhile === 'reset') kept.relay.cut({ how: 'rst' });
  await delay(ms); // what passes is what is tested
  await kept.signalAll('SIGCONT');
  return performance.now();
}
