import type { Socket } from 'node:net';
import { resetSocket } from './reset-socket.ts';
import type { WireConditions, WireCut, WireDirection, WirePoint } from './wire-conditions.ts';
import { WireLane } from './wire-lane.ts';
import { type WireMark, WirePhases } from './wire-phases.ts';

interface Trap {
  readonly point: WirePoint;
  readonly act: (wire: FaultyWire) => void;
  /** Where it is in its direction, once that is known. */
  position: number | undefined;
}

interface Side {
  readonly lane: WireLane;
  readonly phases: WirePhases;
  readonly from: Socket;
  /** Bytes that came so far. */
  position: number;
  turns: number;
}

/** Joins two sockets, and does to what passes what a bad network does. */
export class FaultyWire {
  /** Resolves when both sockets are closed. */
  readonly closed: Promise<void>;
  readonly #sides: Readonly<Record<WireDirection, Side>>;
  readonly #traps: Trap[] = [];
  #speaker: WireDirection | undefined;
  #cut = false;

  constructor(client: Socket, server: Socket, conditions: WireConditions = {}) {
    const side = (from: Socket, to: Socket): Side => ({
      lane: new WireLane(from, to, conditions),
      phases: new WirePhases(),
      from,
      position: 0,
      turns: 0,
    });
    this.#sides = { toServer: side(client, server), toClient: side(server, client) };
    this.closed = Promise.all([closeOf(client), closeOf(server)]).then(() => undefined);
    for (const direction of ['toServer', 'toClient'] as const) this.#join(direction, client, server);
  }

  /** Bytes that are under way, in both directions. */
  get held(): number {
    return this.#sides.toServer.lane.held + this.#sides.toClient.lane.held;
  }

  /** What it is like from now on; what is under way stays as it was. */
  set conditions(conditions: WireConditions) {
    for (const { lane } of Object.values(this.#sides)) lane.conditions = conditions;
  }

  /** Nothing passes any more in that direction, or in both; not even an end. A half-open peer is both. */
  stall(...directions: readonly WireDirection[]): void {
    for (const direction of all(directions)) this.#sides[direction].lane.stall();
  }

  /** Undoes {@link stall}: all that was held passes. */
  resume(...directions: readonly WireDirection[]): void {
    for (const direction of all(directions)) this.#sides[direction].lane.resume();
  }

  /** Ends it for both; what they still send is lost. */
  cut({ how, lose = 0 }: WireCut): void {
    if (this.#cut) return;
    this.#cut = true;
    for (const { lane } of Object.values(this.#sides)) lane.close(lose);
    for (const { from } of Object.values(this.#sides)) {
      if (how === 'rst') resetSocket(from);
      else from.resume().end();
    }
  }

  /**
   * Calls `act` once, when the first byte at or behind the point has come and before it passes. With a wire that was cut
   * there, nothing from the point on arrives.
   */
  at(point: WirePoint, act: (wire: FaultyWire) => void): void {
    const { position } = this.#sides[point.direction];
    this.#traps.push({ point, act, position: 'bytes' in point ? position + point.bytes : undefined });
  }

  /** Takes both sockets away. */
  destroy(): void {
    this.#cut = true;
    for (const { lane, from } of Object.values(this.#sides)) {
      lane.close(Infinity);
      from.destroy();
    }
  }

  #join(direction: WireDirection, client: Socket, server: Socket): void {
    const [from, to] = direction === 'toServer' ? [client, server] : [server, client];
    const { lane } = this.#sides[direction];
    from.setNoDelay(true);
    from.on('data', (bytes: Buffer) => this.#pass(direction, bytes));
    from.on('end', () => {
      if (!this.#cut) lane.take(undefined);
    });
    // What is gone without an end was reset: so is the other.
    from.on('error', () => resetSocket(to));
  }

  #pass(direction: WireDirection, bytes: Buffer): void {
    if (this.#cut) return;
    const side = this.#sides[direction];
    this.#locate(direction, bytes);
    let rest = bytes;
    for (;;) {
      const reached = side.position + rest.length;
      const trap = this.#traps
        .filter(({ point, position = Infinity }) => point.direction === direction && position < reached)
        .toSorted((a, b) => (a.position ?? 0) - (b.position ?? 0))[0];
      if (trap === undefined) break;
      this.#traps.splice(this.#traps.indexOf(trap), 1);
      const before = rest.subarray(0, Math.max(0, (trap.position ?? 0) - side.position));
      this.#forward(side, before);
      rest = rest.subarray(before.length);
      trap.act(this);
      if (this.#cut) return;
    }
    this.#forward(side, rest);
  }

  #forward(side: Side, bytes: Buffer): void {
    side.position += bytes.length;
    side.lane.take(bytes);
  }

  /** Finds out which traps lie in what came, and where. */
  #locate(direction: WireDirection, bytes: Buffer): void {
    const side = this.#sides[direction];
    const marks = side.phases.read(bytes);
    for (const mark of marks) this.#place(direction, mark.what, mark.position);
    if (!side.phases.encrypted || !this.#sides[opposite(direction)].phases.encrypted) return;
    const begin = marks.find(({ what }) => what === 'encrypted')?.position ?? side.position;
    if (this.#speaker === direction || begin >= side.position + bytes.length) return;
    this.#speaker = direction;
    side.turns += 1;
    this.#place(direction, side.turns, begin);
  }

  #place(direction: WireDirection, what: WireMark['what'] | number, position: number): void {
    for (const trap of this.#traps) {
      const { point } = trap;
      if (point.direction !== direction || 'bytes' in point) continue;
      if (('turn' in point ? point.turn : point.phase) === what) trap.position = position + (point.offset ?? 0);
    }
  }
}

function all(directions: readonly WireDirection[]): readonly WireDirection[] {
  return directions.length === 0 ? ['toServer', 'toClient'] : directions;
}

function opposite(direction: WireDirection): WireDirection {
  return direction === 'toServer' ? 'toClient' : 'toServer';
}

async function closeOf(socket: Socket): Promise<void> {
  if (!socket.closed) await new Promise((resolve) => socket.once('close', resolve));
}
