/** Lets what comes and what goes of a session take turns, whatever its neighbours call back on the same stack. */
export interface Turns {
  /** Runs a step; what it has sent goes out when it is done. Within another one it is a part of that. */
  step(step: () => void): void;
  /** Sends at the end of the step. */
  send(bytes: Buffer): void;
  /** Takes bytes as a step of their own, after the one that runs. They are the caller's again when it returns. */
  receive(bytes: Buffer): void;
}

export function createTurns(output: (bytes: Buffer) => void, input: (bytes: Buffer) => void): Turns {
  let busy = false;
  let out: Buffer[] = [];
  const waiting: Buffer[] = [];
  const flush = (): void => {
    while (out.length > 0) {
      const batch = out;
      out = [];
      for (const bytes of batch) output(bytes);
    }
  };
  const turns: Turns = {
    step(step) {
      if (busy) return step();
      busy = true;
      try {
        step();
        flush();
        for (let bytes = waiting.shift(); bytes; bytes = waiting.shift()) {
          input(bytes);
          flush();
        }
      } finally {
        busy = false;
      }
    },
    send(bytes) {
      out.push(bytes);
      if (!busy) turns.step(() => undefined);
    },
    receive(bytes) {
      if (busy) waiting.push(Buffer.from(bytes));
      else turns.step(() => input(bytes));
    },
  };
  return turns;
}
