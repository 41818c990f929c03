import { once } from 'node:events';
import { type AddressInfo, connect, createServer } from 'node:net';
import { FaultyWire } from './faulty-wire.ts';
import type { WireConditions, WireCut, WireDirection, WirePoint } from './wire-conditions.ts';

/** Where a relay leads to, and what its wires are like. */
export interface FaultyRelayOptions extends WireConditions {
  /** A port of 127.0.0.1. */
  readonly to: number;
}

/** A TCP relay on 127.0.0.1, before a real server, whose wires can be bad. Disposing takes everything away. */
export interface FaultyRelay extends AsyncDisposable {
  readonly port: number;
  /** The wires that are there now, the oldest first. */
  readonly wires: readonly FaultyWire[];
  /** All wires that are there and all that come: {@link FaultyWire.conditions}. */
  setConditions(conditions: WireConditions): void;
  /** On all wires that are there now. */
  cut(cut: WireCut): void;
  /** On all wires that are there now. No direction named: both. */
  stall(...directions: readonly WireDirection[]): void;
  /** On all wires that are there now. */
  resume(...directions: readonly WireDirection[]): void;
  /** On all wires that are there and all that come: {@link FaultyWire.at}; each reaches the point for itself. */
  at(point: WirePoint, act: (wire: FaultyWire) => void): void;
  /** Forgets what was set with {@link at}, for the wires to come. */
  forget(): void;
}

/** Starts a relay. Clients find the server behind it, at the relay's own port. */
export async function startFaultyRelay({ to, ...first }: FaultyRelayOptions): Promise<FaultyRelay> {
  let conditions: WireConditions = first;
  const wires = new Set<FaultyWire>();
  const traps: { readonly point: WirePoint; readonly act: (wire: FaultyWire) => void }[] = [];
  const server = createServer({ allowHalfOpen: true }, (client) => {
    const far = connect({ host: '127.0.0.1', port: to, allowHalfOpen: true });
    const wire = new FaultyWire(client, far, conditions);
    for (const { point, act } of traps) wire.at(point, act);
    wires.add(wire);
    void wire.closed.then(() => wires.delete(wire));
  });
  await once(server.listen(0, '127.0.0.1', 511), 'listening');
  return {
    port: (server.address() as AddressInfo).port,
    get wires() {
      return [...wires];
    },
    setConditions(next) {
      conditions = next;
      for (const wire of wires) wire.conditions = next;
    },
    cut(cut) {
      for (const wire of wires) wire.cut(cut);
    },
    stall(...directions) {
      for (const wire of wires) wire.stall(...directions);
    },
    resume(...directions) {
      for (const wire of wires) wire.resume(...directions);
    },
    at(point, act) {
      traps.push({ point, act });
      for (const wire of wires) wire.at(point, act);
    },
    forget() {
      traps.length = 0;
    },
    async [Symbol.asyncDispose]() {
      const closed = once(server, 'close');
      server.close();
      const open = [...wires];
      for (const wire of open) wire.destroy();
      await Promise.all(open.map((wire) => wire.closed));
      await closed;
    },
  };
}
