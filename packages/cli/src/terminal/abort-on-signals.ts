import { constants } from 'node:os';
import process from 'node:process';
import type { ProcessSignals } from '@viassh/core';
import { inForeground } from './in-foreground.ts';

/** Ends what runs in good order on SIGINT, SIGTERM and SIGHUP; a second one ends this process at once. */
export interface SignalWatch {
  readonly signal: AbortSignal;
  readonly forPlugins: ProcessSignals;
  /** 128+n of the signal that came, as a shell shows it. */
  exitCode(): number | undefined;
  /** The exit code of a second signal; undefined for 255. */
  readonly exitAtOnceWith: (code: () => number | undefined) => void;
  /** From here on what a terminal says is not for us: neither that it went away, nor its Ctrl-C. */
  readonly leaveTerminal: () => void;
  readonly nudges: Nudges;
}

/** Signals that say: look now whether the connection is still there, or try again at once. */
export interface Nudges {
  /** SIGUSR1, and a SIGHUP that does not end us; `name` is the signal's. */
  onNudge(listener: (name: string) => void): Disposable;
  /** From here on SIGHUP is a nudge, and does not end us. */
  surviveHangup(): void;
}

export function abortOnSignals(): SignalWatch {
  const controller = new AbortController();
  let handTo: ((name: NodeJS.Signals) => void) | undefined;
  let tell: (() => void) | undefined;
  let received: NodeJS.Signals | undefined;
  let own: (() => number | undefined) | undefined;
  let left = false;
  let survives = false;
  const nudged = new Set<(name: string) => void>();
  const nudge = (name: string): void => {
    for (const listener of nudged) listener(name);
  };
  for (const name of ['SIGINT', 'SIGTERM', 'SIGHUP'] as const) {
    process.on(name, () => {
      if (name === 'SIGHUP' && (left || survives)) {
        nudge(name);
        return;
      }
      if (left && name === 'SIGINT' && inForeground()) return;
      if (received !== undefined) process.exit(own?.() ?? 255); // asked twice: at once; what is ours ends with the process
      if (handTo !== undefined) {
        if (name === 'SIGTERM' || !inForeground()) handTo(name);
        return;
      }
      received = name;
      controller.abort();
    });
  }
  // Also while nobody listens: Node's own answer is to open its debugger.
  process.on('SIGUSR1', () => {
    tell?.();
    nudge('SIGUSR1');
  });
  return {
    signal: controller.signal,
    exitCode: () => (received === undefined ? undefined : 128 + constants.signals[received]),
    exitAtOnceWith: (code) => {
      own = code;
    },
    leaveTerminal: () => {
      left = true;
    },
    nudges: {
      onNudge(listener) {
        nudged.add(listener);
        return { [Symbol.dispose]: () => void nudged.delete(listener) };
      },
      surviveHangup() {
        survives = true;
      },
    },
    forPlugins: {
      onStatus(listener) {
        tell = listener;
        return { [Symbol.dispose]: () => (tell = undefined) };
      },
      handOn(to) {
        handTo = to;
        return { [Symbol.dispose]: () => (handTo = undefined) };
      },
    },
  };
}
