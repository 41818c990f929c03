import type { Connection, NearEnd, RemoteAddress } from '@viassh/core';
import type { ForwardSpec } from '../spec/forward-spec.ts';
import type { ForwardBook } from './book.ts';
import type { Forward } from './forward.ts';

/** Milliseconds that those have who still read what had arrived when the connection ended. */
const LAST_READ = 30_000;

/** What a {@link Forward} is made from. */
export interface StandingForwardInit {
  readonly connection: Pick<Connection, 'closed'>;
  readonly spec: ForwardSpec;
  readonly address: NearEnd | RemoteAddress;
  readonly book: ForwardBook;
  /** Listens no more. Called once; never rejects. */
  readonly stopListening: () => Promise<void>;
  /** It may end to listen by itself. Never rejects. */
  readonly stopped?: Promise<void> | undefined;
}

/** A forward around its listener and its book. */
export function standingForward({
  connection,
  spec,
  address,
  book,
  stopListening,
  stopped,
}: StandingForwardInit): Forward {
  const noMore = Promise.withResolvers<void>();
  let stopping: Promise<void> | undefined;
  const stop = (): Promise<void> => (stopping ??= stopListening().then(noMore.resolve));
  let closing: Promise<void> | undefined;
  const close = async (drainMs: number | undefined): Promise<void> => {
    const noMoreCome = stop();
    if (drainMs !== undefined) await withinTime(book.idle(), drainMs);
    book.stopAll();
    await noMoreCome;
    book.stopAll(); // who came before the far end heard of it
    await book.idle();
  };
  const endWith = async ({ closed }: Pick<Connection, 'closed'>): Promise<void> => {
    await closed;
    await stop();
    await withinTime(book.idle(), LAST_READ);
    book.stopAll();
  };
  void stopped?.then(noMore.resolve);
  void endWith(connection);
  return {
    spec,
    address,
    get counters() {
      return book.counters();
    },
    connections: () => book.connections(),
    close: ({ drainMs } = {}) => (closing ??= close(drainMs)),
    closed: noMore.promise,
    [Symbol.asyncDispose]: () => (closing ??= close(undefined)),
  };
}

async function withinTime(waiting: Promise<void>, ms: number): Promise<void> {
  let timer: NodeJS.Timeout | undefined;
  await Promise.race([
    waiting,
    new Promise<void>((resolve) => {
      timer = setTimeout(resolve, ms);
      timer.unref();
    }),
  ]);
  clearTimeout(timer);
}
