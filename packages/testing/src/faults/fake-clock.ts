import { setImmediate as settled } from 'node:timers/promises';

/** A timer of a {@link FakeClock}; as Node's, it can be let go of. */
export interface FakeTimer {
  /** Does it keep the process alive, were it a real one? */
  hasRef(): boolean;
  ref(): this;
  unref(): this;
}

/** Time that stands still until a test moves it. Give it to what takes its clock from outside. */
export interface FakeClock {
  /** Milliseconds; begins at 0. */
  now(): number;
  /** Milliseconds since 1970; begins at the year 2000. */
  wall(): number;
  setTimeout(callback: () => void, ms: number): FakeTimer;
  clearTimeout(timer: FakeTimer | undefined): void;
  /** Timers that wait. */
  readonly pending: readonly FakeTimer[];
  /** Lets time pass: each timer sees its own moment, in order, and what it sets off has settled before the next. */
  advance(ms: number): Promise<void>;
  /** As a machine that slept: all the time has passed at once, and timers that were due by then come late. */
  leap(ms: number): Promise<void>;
  /** As a person, or a machine that was suspended: only the wall clock moves. Negative: back. */
  setWall(byMs: number): void;
}

interface Entry {
  readonly timer: FakeTimer;
  readonly due: number;
  readonly callback: () => void;
}

/** Makes a clock at 0. */
export function createFakeClock(): FakeClock {
  let now = 0;
  let wall = Date.UTC(2000, 0, 1);
  let entries: readonly Entry[] = [];
  /** The next that is due by then; of several at one moment the one that was set first. */
  const take = (until: number): Entry | undefined => {
    const [next] = entries.filter(({ due }) => due <= until).toSorted((a, b) => a.due - b.due);
    entries = entries.filter((entry) => entry !== next);
    return next;
  };
  const run = async (until: number, at: (due: number) => number): Promise<void> => {
    for (;;) {
      await settled();
      const next = take(until);
      if (next === undefined) break;
      now = at(next.due);
      next.callback();
    }
    now = until;
  };
  return {
    now: () => now,
    wall: () => wall + now,
    setWall(byMs) {
      wall += byMs;
    },
    setTimeout(callback, ms) {
      const timer = fakeTimer();
      entries = [...entries, { timer, due: now + Math.max(0, ms), callback }];
      return timer;
    },
    clearTimeout(timer) {
      entries = entries.filter((entry) => entry.timer !== timer);
    },
    get pending() {
      return entries.map(({ timer }) => timer);
    },
    advance: (ms) => run(now + ms, (due) => due),
    leap(ms) {
      const until = (now += ms);
      return run(until, () => until);
    },
  };
}

function fakeTimer(): FakeTimer {
  let referenced = true;
  return {
    hasRef: () => referenced,
    ref() {
      referenced = true;
      return this;
    },
    unref() {
      referenced = false;
      return this;
    },
  };
}
