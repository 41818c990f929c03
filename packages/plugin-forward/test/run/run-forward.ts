import { PassThrough } from 'node:stream';
import { createLogger, type ExitStatus, type ProgramRunner, runPlugin, type ViasshError } from '@viassh/core';
import { forwardPlugin } from '@viassh/plugin-forward';
import type { Test } from 'tap';
import { type ForwardWorld, forwardWorld } from '../forward/forward-world.ts';

/** A run of the plugin that goes on. */
export interface RunningForward {
  readonly world: ForwardWorld;
  /** Never rejects. */
  readonly end: Promise<{ readonly exit: ExitStatus } | { readonly error: ViasshError }>;
  readonly stop: AbortController;
  /** Stdout and stderr so far. */
  said(): string;
  complained(): string;
  readonly log: readonly string[];
  /** How often it said that all stands. */
  readyCount(): number;
  /** SIGUSR1. */
  askStatus(): void;
}

/** What is around a run. */
export interface RunOptions {
  readonly json?: boolean;
  readonly world?: ForwardWorld;
  readonly programs?: ProgramRunner;
  readonly words?: readonly string[];
}

/** Runs `forward` with these options over the memory transport. */
export async function runForward(
  t: Test,
  raw: Readonly<Record<string, unknown>>,
  { json = false, world: given, programs, words = [] }: RunOptions = {},
): Promise<RunningForward> {
  const world = given ?? (await forwardWorld(t));
  const [output, error, log] = [new PassThrough(), new PassThrough(), [] as string[]];
  const texts = [output, error].map((stream) => {
    let text = '';
    stream.setEncoding('utf8').on('data', (chunk: string) => (text += chunk));
    return () => text;
  });
  const stop = new AbortController();
  let ready = 0;
  let tell: (() => void) | undefined;
  const end = runPlugin(forwardPlugin.prepare(raw, words), world.connection, {
    stdio: { input: new PassThrough().end(), output, error },
    signal: stop.signal,
    json,
    ready: () => (ready += 1),
    log: createLogger('debug', (level, message) => log.push(`${level}: ${message}`)),
    programs: programs ?? (undefined as unknown as ProgramRunner),
    signals: {
      onStatus(listener) {
        tell = listener;
        return { [Symbol.dispose]: () => (tell = undefined) };
      },
      handOn: () => ({ [Symbol.dispose]: () => undefined }),
    },
  }).then(
    (exit) => ({ exit }),
    (failure: unknown) => ({ error: failure as ViasshError }),
  );
  t.teardown(() => stop.abort());
  return {
    world,
    end,
    stop,
    said: () => texts[0]?.() ?? '',
    complained: () => texts[1]?.() ?? '',
    log,
    readyCount: () => ready,
    askStatus: () => tell?.(),
  };
}
