import type { Clock } from '@viassh/core';

/** Lets through a number at once, and then so many a second: what the other side may make us answer. */
export interface FloodGate {
  /** False: this one is too many. */
  pass(): boolean;
}

export function createFloodGate(clock: Clock, atOnce: number, perSecond: number): FloodGate {
  let room = atOnce;
  let since = clock.now();
  return {
    pass() {
      const now = clock.now();
      room = Math.min(atOnce, room + ((now - since) / 1000) * perSecond);
      since = now;
      if (room < 1) return false;
      room -= 1;
      return true;
    },
  };
}
