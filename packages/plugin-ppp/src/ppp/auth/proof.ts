import { createHash, timingSafeEqual } from 'node:crypto';
import type { Clock, ClockTimer, ViasshError } from '@viassh/core';
import type { ControlPacket } from '../control/control-packet.ts';

/** One direction of an authentication: we prove, or we demand. */
export interface Proof {
  start(): void;
  stop(): void;
  receive(packet: ControlPacket): void;
}

/** What either direction is made with. */
export interface ProofOptions {
  readonly clock: Clock;
  readonly send: (packet: Buffer) => void;
  /** Runs what a timer sets off as one step. */
  readonly atomic: (step: () => void) => void;
  /** It is proven; more than once where it is asked for again. */
  readonly proven: () => void;
  readonly failed: (error: ViasshError) => void;
}

/** Milliseconds until a question is asked again, and how often it is asked at all. */
const RETRY_MS = 3000;
const MAX_TRIES = 10;

/** Asks now, and again until it is stopped; `givenUp` after the last time went unanswered. */
export function createRetry(
  options: ProofOptions,
  ask: () => void,
  givenUp: () => void,
): { start(): void; stop(): void } {
  const { clock, atomic } = options;
  let timer: ClockTimer | undefined;
  let tries = 0;
  const stop = (): void => {
    clock.clearTimeout(timer);
    timer = undefined;
  };
  const next = (): void => {
    if (tries === MAX_TRIES) return givenUp();
    tries += 1;
    timer = clock.setTimeout(() => atomic(next), RETRY_MS);
    ask();
  };
  return {
    start() {
      stop();
      tries = 0;
      next();
    },
    stop,
  };
}

/** Compared in a time that tells nothing of where they differ, nor of how long they are. */
export function isSame(a: string | Uint8Array, b: string | Uint8Array): boolean {
  return timingSafeEqual(digest(a), digest(b));
}

function digest(value: string | Uint8Array): Buffer {
  return createHash('sha256').update(value).digest();
}
