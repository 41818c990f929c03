import type { Readable, Writable } from 'node:stream';
import type { ExitStatus } from '@viassh/core';

/** The far side of a channel in memory: a program, a socket, or what a test makes up. */
export interface FarEnd {
  /** Takes what we send; ended at our EOF. */
  readonly input: Writable;
  readonly output: Readable;
  readonly error?: Readable | undefined;
  /** Resolves when the far end is done with all: the channel is then closed from there. Never rejects. */
  readonly done: Promise<unknown>;
  /** We closed the channel, or the connection is gone. */
  close(): void;
}

/** The far side of a session channel. */
export interface FarSession extends FarEnd {
  /** Never rejects. */
  readonly exit: Promise<ExitStatus>;
  signal(name: string): void;
  changeWindow(columns: number, rows: number): void;
}
