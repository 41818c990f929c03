import type { Socket } from 'node:net';
import type { Duplex } from 'node:stream';
import { abortedError, bridge, type Channel, isViasshError, type Originator, toViasshError } from '@viassh/core';
import type { ForwardBook } from './book.ts';
import { leave } from './leave.ts';

/** A connection that somebody made to a forward. */
export interface Arrival {
  readonly originator?: Originator | undefined;
  /** What is there of it before the other side is; an undecided channel is not. Its end aborts the opening. */
  readonly client?: Duplex | undefined;
  /** The listener is on this machine (`near`), or on the far end. */
  readonly side: 'near' | 'far';
  /** Gets both sides; says no in the client's own protocol before it throws. */
  readonly open: (signal: AbortSignal) => Promise<Crossing>;
}

/** Both sides of a connection through a forward. */
export interface Crossing {
  readonly channel: Channel;
  /** The side of this machine. */
  readonly socket: Duplex;
  /** For people: `host:port`, or a path. */
  readonly destination: string;
}

/**
 * Carries one connection from its arrival until nothing of it is left: opens, joins, counts. EOF goes both ways. Where
 * something was cut off, the side of this machine is reset, so that it is not taken for an end. Never rejects: whatever
 * becomes of one connection is an event and nobody else's.
 */
export async function carry(book: ForwardBook, { originator, client, side, open }: Arrival): Promise<void> {
  const opening = new AbortController();
  const entry = book.enter(originator, () => {
    opening.abort();
    client?.destroy();
  });
  const gone = (): void => opening.abort();
  client?.once('close', gone).on('error', ignore);
  try {
    if (client?.destroyed === true) gone();
    const { channel, socket, destination } = await open(opening.signal);
    client?.off('close', gone);
    socket.on('error', ignore);
    entry.stop = () => {
      channel.destroy();
      socket.destroy();
    };
    if (opening.signal.aborted) {
      entry.stop();
      throw abortedError(opening.signal.reason);
    }
    await pass(book, entry, { channel, socket, destination }, side);
  } catch (error) {
    book.refused(entry, toViasshError(error));
    if (client !== undefined) await leave(client);
  } finally {
    book.leave(entry);
  }
}

/** Never rejects. */
async function pass(
  book: ForwardBook,
  entry: ReturnType<ForwardBook['enter']>,
  { channel, socket, destination }: Crossing,
  side: Arrival['side'],
): Promise<void> {
  channel.once('end', () => socket.end());
  const { progress, done } = bridge(channel, { input: socket, output: socket, error: 'drop' });
  book.opened(entry, destination, progress, side === 'far');
  try {
    await done;
    book.closed(entry);
    await leave(socket);
  } catch (error) {
    book.closed(entry, toViasshError(error));
    if (isViasshError(error, 'CONNECTION_LOST')) reset(socket);
    else socket.destroy();
  }
}

/** A Unix socket knows no reset. */
function reset(socket: Duplex & Partial<Pick<Socket, 'resetAndDestroy' | 'remoteAddress'>>): void {
  if (socket.remoteAddress === undefined || socket.resetAndDestroy === undefined) socket.destroy();
  else socket.resetAndDestroy();
}

function ignore(): void {
  // its close follows
}
