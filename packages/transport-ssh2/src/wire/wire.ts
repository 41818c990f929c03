import type { Duplex } from 'node:stream';
import type { ViasshError } from '@viassh/core';

/** The byte stream under one hop's SSH: TCP, a ProxyCommand's stdio, or a channel of the hop before. */
export interface Wire {
  readonly stream: Duplex;
  /** Why it ended, when the wire knows more than its stream shows. */
  explain?(): Promise<ViasshError | undefined>;
  /** Ends it by force; resolves when nothing is left of it. Never rejects. */
  close(): Promise<void>;
}

/** A wire that is nothing but its stream. */
export function streamWire(stream: Duplex): Wire {
  return { stream, close: () => destroyed(stream) };
}

/** Destroys a stream and waits for its `close`. */
export function destroyed(stream: Duplex): Promise<void> {
  return new Promise((resolve) => {
    if (stream.closed) return resolve();
    stream.once('close', () => resolve());
    stream.destroy();
  });
}
