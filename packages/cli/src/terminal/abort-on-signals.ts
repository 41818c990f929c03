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
}

export function abortOnSignals(): SignalWatch {
  const controller = new AbortController();
  let handTo: ((name: NodeJS.Signals) => void) | undefined;
  let tell: (() => void) | undefined;
  let received: NodeJS.Signals | undefined;
  let own: (() => number | undefined) | undefined;
  let left = false;
  for (const name of ['SIGINT', 'SIGTERM', 'SIGHUP'] as const) {
    process.on(name, () => {
      if (left && (name === 'SIGHUP' || (name === 'SIGINT' && inForeground()))) return;
      if (received !== undefined) process.exit(own?.() ?? 255); // asked twice: at once; what is ours ends with the process
      if (handTo !== undefined) {
        if (name === 'SIGTERM' || !inForeground()) handTo(name);
        return;
      }
      received = name;
      controller.abort();
    });
  }
  process.on('SIGUSR1', () => tell?.()); // also while nobody tells: Node's own answer is to open its debugger
  return {
    signal: controller.signal,
    exitCode: () => (received === undefined ? undefined : 128 + constants.signals[received]),
    exitAtOnceWith: (code) => {
      own = code;
    },
    leaveTerminal: () => {
      left = true;
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
