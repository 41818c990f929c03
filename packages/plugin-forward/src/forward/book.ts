import { type Originator, type ViasshError } from '@viassh/core';
import type { ForwardCounters, ForwardedConnection, ForwardEvent } from './forward.ts';

/** What is known of a connection that got through. */
interface Passing {
  readonly destination: string;
  /** Milliseconds of `performance.now()`. */
  readonly since: number;
  readonly bytes: { readonly intoChannel: number; readonly intoSocket: number };
}

/** One connection in the book, from the moment it was accepted until nothing of it is left. */
export interface Entry {
  readonly id: number;
  readonly originator: Originator | undefined;
  /** Ends it at once, whatever it is doing. */
  stop: () => void;
  passing?: Passing | undefined;
}

/** The connections of one forward: numbers them, counts them, tells of them, ends them. */
export class ForwardBook {
  readonly #side: 'near' | 'far';
  readonly #onEvent: ((event: ForwardEvent) => void) | undefined;
  readonly #entries = new Set<Entry>();
  #idle: (() => void)[] = [];
  #accepted = 0;
  #open = 0;
  #refused = 0;
  #sent = 0;
  #received = 0;

  /** @param side where it listens: on this machine, or on the far end */
  constructor(side: 'near' | 'far', onEvent?: (event: ForwardEvent) => void) {
    this.#side = side;
    this.#onEvent = onEvent;
  }

  /** As of now; it takes a walk through all that are open. */
  counters(): ForwardCounters {
    let [sent, received] = [this.#sent, this.#received];
    for (const { passing } of this.#entries) {
      if (passing === undefined) continue;
      const passed = this.#bytesOf(passing);
      sent += passed.sent;
      received += passed.received;
    }
    return { accepted: this.#accepted, open: this.#open, refused: this.#refused, sent, received };
  }

  connections(): ForwardedConnection[] {
    return [...this.#entries].flatMap((entry) =>
      entry.passing === undefined ? [] : [this.#snapshot(entry, entry.passing)],
    );
  }

  /** Somebody connected. */
  enter(originator: Originator | undefined, stop: () => void): Entry {
    const entry: Entry = { id: (this.#accepted += 1), originator, stop, passing: undefined };
    this.#entries.add(entry);
    return entry;
  }

  /** It got through to its destination. */
  opened(entry: Entry, destination: string, bytes: Passing['bytes']): void {
    const passing = (entry.passing = { destination, since: performance.now(), bytes });
    this.#open += 1;
    if (this.#onEvent !== undefined) this.#tell({ kind: 'opened', connection: this.#snapshot(entry, passing) });
  }

  /** Nothing passes any more. */
  closed(entry: Entry, error: ViasshError | undefined): void {
    const { passing } = entry;
    if (passing === undefined) return;
    const connection = this.#snapshot(entry, passing);
    entry.passing = undefined;
    this.#open -= 1;
    this.#sent += connection.sent;
    this.#received += connection.received;
    this.#tell({ kind: 'closed', connection, error });
  }

  /** It did not get through. `isTold`: the same was told for another one already. */
  refused({ originator }: Entry, error: ViasshError, isTold = false): void {
    this.#refused += 1;
    if (!isTold) this.#tell({ kind: 'refused', originator, error });
  }

  /** There was no room for it on this machine; said once, until some was made. */
  turnedAway(error: ViasshError, again: boolean): void {
    this.#accepted += 1;
    this.#refused += 1;
    if (!again) this.#tell({ kind: 'refused', error });
  }

  /** Nothing of it is left. */
  leave(entry: Entry): void {
    this.#entries.delete(entry);
    if (this.#entries.size > 0) return;
    for (const wake of this.#idle.splice(0)) wake();
  }

  /** Ends all that are there. */
  stopAll(): void {
    for (const entry of this.#entries) entry.stop();
  }

  /** Resolves when nobody is there; never rejects. */
  async idle(): Promise<void> {
    if (this.#entries.size > 0) await new Promise<void>((resolve) => this.#idle.push(resolve));
  }

  /** Whoever listens must not end a forward by throwing. */
  #tell(event: ForwardEvent): void {
    try {
      this.#onEvent?.(event);
    } catch {
      // theirs
    }
  }

  #snapshot({ id, originator }: Entry, passing: Passing): ForwardedConnection {
    const { destination, since } = passing;
    return { id, originator, destination, since, ...this.#bytesOf(passing) };
  }

  #bytesOf({ bytes: { intoChannel, intoSocket } }: Passing): { sent: number; received: number } {
    return this.#side === 'near'
      ? { sent: intoChannel, received: intoSocket }
      : { sent: intoSocket, received: intoChannel };
  }
}
