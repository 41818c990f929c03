import type { Duplex } from 'node:stream';
import { abortedError, leave, type Originator, toViasshError, type ViasshError } from '@viassh/core';
import type { Entry, ForwardBook } from './book.ts';
import { type Crossing, Passage } from './passage.ts';

/** A connection that somebody made to a forward. */
export interface Arrival {
  readonly originator?: Originator | undefined;
  /** What is there of it before the other side is; an undecided channel is not. Its end aborts the opening. */
  readonly client?: Duplex | undefined;
  /** Gets both sides; says no in the client's own protocol before it throws. */
  readonly open: (signal: AbortSignal) => Promise<Crossing>;
  /** Whether this failure of `open` was told for another connection already, and need not be again. */
  readonly isTold?: ((error: ViasshError) => boolean) | undefined;
  /** Nothing of it is left. Once. */
  readonly left?: (() => void) | undefined;
}

/**
 * Carries one connection from its arrival until nothing of it is left: opens, joins, counts. Whatever becomes of it is an
 * event and nobody else's. Resolves when it is decided whether it gets through; never rejects.
 */
export async function carry(book: ForwardBook, arrival: Arrival): Promise<void> {
  const { originator, client } = arrival;
  const leaveBook = (): void => {
    arrival.left?.();
    book.leave(entry);
  };
  let crossing: Crossing | undefined;
  const entry = book.enter(originator, () => client?.destroy());
  try {
    crossing = await opened(entry, arrival);
  } catch (error) {
    const failure = toViasshError(error);
    book.refused(entry, failure, arrival.isTold?.(failure));
    if (client !== undefined) await leave(client);
  }
  if (crossing === undefined) leaveBook();
  else join(book, entry, crossing, leaveBook);
}

/** @throws what `open` throws; ABORTED when the client was gone, or the forward was closed, before */
async function opened(entry: Entry, { client, open }: Arrival): Promise<Crossing> {
  const opening = new AbortController();
  const onGone = (): void => opening.abort();
  entry.stop = () => {
    opening.abort();
    client?.destroy();
  };
  client?.on('error', ignore).once('close', onGone);
  if (client?.destroyed === true) onGone();
  try {
    const crossing = await open(opening.signal);
    if (!opening.signal.aborted) return crossing;
    crossing.channel.destroy();
    crossing.socket.destroy();
    throw abortedError(opening.signal.reason);
  } finally {
    client?.off('close', onGone);
  }
}

function join(book: ForwardBook, entry: Entry, { channel, socket, destination }: Crossing, left: () => void): void {
  const passage = new Passage(channel, socket, {
    closed: (error) => book.closed(entry, error),
    left,
  });
  entry.stop = () => passage.stop();
  book.opened(entry, destination, passage);
  passage.start();
}

function ignore(): void {
  // its close follows
}
