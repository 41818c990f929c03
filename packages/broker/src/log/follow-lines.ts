const MOST_WAITING = 1000;

/** Lines for somebody who reads them at a pace of their own. */
export interface LineFollower extends AsyncIterable<string> {
  /** One who does not keep up misses lines, and is told how many. */
  push(line: string): void;
  /** After what waits there is nothing more. */
  end(): void;
}

/** Begins with `lines`. */
export function followLines(lines: readonly string[]): LineFollower {
  let waiting = [...lines];
  let missed = 0;
  let ended = false;
  let wake: (() => void) | undefined;
  return {
    push(line) {
      if (ended) return;
      if (waiting.length >= Math.max(MOST_WAITING, lines.length)) missed += 1;
      else waiting.push(line);
      wake?.();
    },
    end() {
      ended = true;
      wake?.();
    },
    async *[Symbol.asyncIterator]() {
      for (;;) {
        const batch = waiting;
        waiting = [];
        yield* batch;
        if (missed > 0 && waiting.length === 0) {
          const count = missed;
          missed = 0;
          yield `(${count} lines are missing here: they came faster than they were read)`;
        }
        if (waiting.length > 0) continue;
        if (ended) return;
        await new Promise<void>((resolve) => (wake = resolve));
      }
    },
  };
}
