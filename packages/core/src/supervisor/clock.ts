/** A timer that was set. */
export interface ClockTimer {
  /** The process does not stay alive for it. */
  unref(): unknown;
}

/** Where supervision takes its time from: a test hands in one that it moves itself. */
export interface Clock {
  /** Milliseconds that stand still while the machine sleeps, from any beginning. */
  now(): number;
  /** Milliseconds since 1970, as people have set them: they go on while the machine sleeps, and may jump. */
  wall(): number;
  /** At the latest after {@link LONGEST_TIMER_MS}. */
  setTimeout(callback: () => void, ms: number): ClockTimer;
  clearTimeout(timer: ClockTimer | undefined): void;
}

/** Milliseconds, 24.8 days: what a timer of Node can hold. One that is set for longer would ring at once. */
export const LONGEST_TIMER_MS: number = 2 ** 31 - 1;

/** The machine's own. */
export const systemClock: Clock = {
  now: () => performance.now(),
  wall: () => Date.now(),
  setTimeout: (callback, ms) => setTimeout(callback, Math.min(ms, LONGEST_TIMER_MS)),
  clearTimeout: (timer) => clearTimeout(timer as NodeJS.Timeout | undefined),
};
