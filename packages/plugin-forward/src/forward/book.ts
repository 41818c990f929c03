import type { BridgeProgress, Originator, ViasshError } from '@viassh/core';
import type { ForwardCounters, ForwardedConnection, ForwardEvent } from './forward.ts';

/** One connection in the book, from the moment it was accepted until nothing of it is left. */
export interface Entry {
  readonly id: number;
  readonly originator: Originator | undefined;
  /** Ends it at once, whatever it is doing. */
  stop: () => void;
  passing?: Passing | undefined;
}

/** What is known of a connection that got through. */
interface Passing {
  readonly destination: string;
  readonly since: number;
  readonly progress: Pick<BridgeProgress, 'sent' | 'received'>;
  /** The bridge sends towards the side that listens. */
  readonly reversed: boolean;
}

/** The connections of one forward: numbers them, counts them, tells of them, ends them. */
export class ForwardBook {
  readonly #entries = new Set<Entry>();
  readonly #onEvent: ((event: ForwardEvent) => void) | undefined;
  #idle: (() => void)[] = [];
  #accepted = 0;
  #open = 0;
  #refused = 0;
  #sent = 0;
  #received = 0;

  constructor(onEvent?: (event: ForwardEvent) => void) {
    this.#onEvent = onEvent;
  }

  /** Bytes of those that are closed, and of those that are open: live, but the sum takes a walk through them. */
  counters(): ForwardCounters {
    let [sent, received] = [this.#sent, this.#received];
    for (const { passing } of this.#entries) {
      if (passing === undefined) continue;
      const passed = bytesOf(passing);
      sent += passed.sent;
      received += passed.received;
    }
    return { accepted: this.#accepted, open: this.#open, refused: this.#refused, sent, received };
  }

  connections(): ForwardedConnection[] {
    return [...this.#entries].filter(({ passing }) => passing !== undefined).map(snapshot);
  }

  /** Somebody connected. */
  enter(originator: Originator | undefined, stop: () => void): Entry {
    const entry: Entry = { id: (this.#accepted += 1), originator, stop };
    this.#entries.add(entry);
    return entry;
  }

  /** It got through to its destination. */
  opened(entry: Entry, destination: string, progress: BridgeProgress, reversed: boolean): void {
    entry.passing = { destination, since: performance.now(), progress, reversed };
    this.#open += 1;
    if (this.#onEvent !== undefined) this.tell({ kind: 'opened', connection: snapshot(entry) });
  }

  /** Nothing passes any more. */
  closed(entry: Entry, error?: ViasshError): void {
    const { passing } = entry;
    if (passing === undefined) return;
    const connection = snapshot(entry);
    entry.passing = undefined;
    this.#open -= 1;
    this.#sent += connection.sent;
    this.#received += connection.received;
    this.tell({ kind: 'closed', connection, error });
  }

  /** It did not get through. */
  refused({ originator }: Entry, error: ViasshError): void {
    this.#refused += 1;
    this.tell({ kind: 'refused', originator, error });
  }

  /** There was no room for it on this machine; said once, until some was made. */
  turnedAway(error: ViasshError, again: boolean): void {
    this.#accepted += 1;
    this.#refused += 1;
    if (!again) this.tell({ kind: 'refused', error });
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
  tell(event: ForwardEvent): void {
    try {
      this.#onEvent?.(event);
    } catch {
      // theirs
    }
  }
}

function snapshot({ id, originator, passing }: Entry): ForwardedConnection {
  const { destination = '', since = 0 } = passing ?? {};
  return {
    id,
    originator,
    destination,
    since,
    ...(passing === undefined ? { sent: 0, received: 0 } : bytesOf(passing)),
  };
}

function bytesOf({ progress: { sent, received }, reversed }: Passing): { sent: number; received: number } {
  return reversed ? { sent: received, received: sent } : { sent, received };
}
