import type { Clock, ClockTimer } from '@viassh/core';

/** What {@link createEcho} is made with. */
export interface EchoOptions {
  readonly clock: Clock;
  /** Milliseconds between two questions; 0: none are asked. */
  readonly intervalMs: number;
  /** This many without any sign of life end it. */
  readonly failures: number;
  readonly ask: () => void;
  readonly lost: () => void;
}

/** Asks whether the other side is still there (RFC 1661 §5.8), where nothing else shows it. */
export interface Echo {
  start(): void;
  stop(): void;
  /** Something came. */
  alive(): void;
  /** The other side knows no echoes. */
  disable(): void;
}

export function createEcho({ clock, intervalMs, failures, ask, lost }: EchoOptions): Echo {
  let timer: ClockTimer | undefined;
  let silent = true;
  let unanswered = 0;
  let enabled = intervalMs > 0;
  const stop = (): void => {
    clock.clearTimeout(timer);
    timer = undefined;
  };
  const wait = (): void => {
    stop();
    if (enabled) timer = clock.setTimeout(tick, intervalMs);
  };
  const tick = (): void => {
    timer = undefined;
    if (!silent) unanswered = 0;
    else if (unanswered >= failures) return lost();
    else {
      unanswered += 1;
      ask();
    }
    silent = true;
    wait();
  };
  return {
    start() {
      silent = true;
      unanswered = 0;
      wait();
    },
    stop,
    alive() {
      silent = false;
    },
    disable() {
      enabled = false;
      stop();
    },
  };
}
