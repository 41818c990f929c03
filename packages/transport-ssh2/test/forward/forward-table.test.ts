import type { IncomingChannelHandler } from '@viassh/core';
import t from 'tap';
import { ForwardTable } from '../../src/forward/forward-table.ts';
import type { RawServerOpening } from '../../src/ssh2-private/server-opening.ts';

function opening(fields: RawServerOpening['fields'], type = 'forwarded-tcpip'): RawServerOpening {
  return { type, fields, accept: () => undefined, refuse: () => undefined };
}

/** One that is none of the others. */
function newHandler(): IncomingChannelHandler {
  return () => undefined;
}

function tableWith(...binds: (readonly [string, number])[]): {
  table: ForwardTable;
  handlers: IncomingChannelHandler[];
} {
  const table = new ForwardTable();
  const handlers = binds.map(([bindAddress, port]) => {
    const handler = newHandler();
    table.add({ address: { kind: 'tcpip', bindAddress, port }, handler });
    return handler;
  });
  return { table, handlers };
}

t.test('what OpenSSH echoes is matched by the very address', async (t) => {
  const { table, handlers } = tableWith(['localhost', 80], ['127.0.0.1', 80], ['', 80]);
  for (const [index, destIP] of ['localhost', '127.0.0.1', ''].entries())
    t.equal(table.handlerFor(opening({ destIP, destPort: 80 })), handlers[index]);
});

t.test('a server that names what it bound: the spelling that means it, or the only one of the port', async (t) => {
  const { table, handlers } = tableWith(['localhost', 80], ['', 80], ['10.0.0.1', 81]);
  t.equal(table.handlerFor(opening({ destIP: '::1', destPort: 80 })), handlers[0]);
  t.equal(table.handlerFor(opening({ destIP: '0.0.0.0', destPort: 80 })), handlers[1]);
  t.equal(table.handlerFor(opening({ destIP: '10.9.9.9', destPort: 80 })), undefined, 'two of them: no guess');
  t.equal(table.handlerFor(opening({ destIP: 'anything', destPort: 81 })), handlers[2]);
  t.equal(table.handlerFor(opening({ destIP: 'localhost', destPort: 82 })), undefined);
});

t.test('Unix sockets by their path; what was taken away is not found', async (t) => {
  const table = new ForwardTable();
  const handler = newHandler();
  const forget = table.add({ address: { kind: 'streamlocal', path: '/a' }, handler });
  const at = (socketPath: string): unknown =>
    table.handlerFor(opening({ socketPath }, 'forwarded-streamlocal@openssh.com'));
  t.equal(at('/a'), handler);
  t.equal(at('/b'), undefined);
  forget();
  t.equal(at('/a'), undefined);
});
