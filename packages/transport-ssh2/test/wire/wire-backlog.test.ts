import { EventEmitter } from 'node:events';
import { Duplex } from 'node:stream';
import type { Client } from 'ssh2';
import t from 'tap';
import { WireBacklog } from '../../src/wire/wire-backlog.ts';

/** A wire that takes a chunk when told, a client that exchanges keys when told, and who waits for them. */
function makeBacklog(): {
  backlog: WireBacklog;
  wire: Duplex;
  take: () => void;
  exchange: (going: boolean) => void;
  waiter: () => () => boolean;
} {
  let taken: (() => void) | undefined;
  const wire = new Duplex({ read: () => undefined, write: (_chunk, _encoding, done) => void (taken = done) });
  const protocol: { _kexinit: Buffer | undefined } = { _kexinit: undefined };
  const client = Object.assign(new EventEmitter(), { _protocol: protocol });
  const backlog = new WireBacklog(client as unknown as Client, wire);
  return {
    backlog,
    wire,
    take: () => taken?.(),
    exchange(going) {
      protocol._kexinit = going ? Buffer.alloc(1) : undefined;
      if (!going) client.emit('handshake');
    },
    waiter() {
      let called = false;
      backlog.whenLow(() => (called = true));
      return () => called;
    },
  };
}

const much = Buffer.alloc(4 * 1024 * 1024);

t.test('who writes waits while the wire has much to take', async (t) => {
  const { wire, take, waiter } = makeBacklog();
  t.ok(waiter()(), 'an idle wire');
  wire.write(much);
  const called = waiter();
  t.notOk(called());
  const drained = new Promise((resolve) => void wire.once('drain', resolve));
  take();
  await drained;
  t.ok(called());
});

t.test('who writes waits while keys are exchanged, and for the wire after that', async (t) => {
  const { backlog, wire, take, exchange, waiter } = makeBacklog();
  exchange(true);
  const first = waiter();
  wire.emit('drain');
  t.notOk(first(), 'that the wire has room is not enough');
  exchange(false);
  t.ok(first());

  exchange(true);
  const second = waiter();
  wire.write(much);
  exchange(false);
  t.notOk(second(), 'what was kept is much');
  const drained = new Promise((resolve) => void wire.once('drain', resolve));
  take();
  await drained;
  t.ok(second());
  t.ok(backlog.isLow);
});

t.test('the end of the wire ends the waiting', async (t) => {
  const { wire, exchange, waiter } = makeBacklog();
  exchange(true);
  const called = waiter();
  wire.destroy();
  await new Promise((resolve) => void wire.once('close', resolve));
  t.ok(called());
});
