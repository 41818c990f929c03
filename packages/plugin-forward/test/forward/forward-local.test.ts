import { once } from 'node:events';
import { setImmediate as turn } from 'node:timers/promises';
import { forwardLocal } from '@viassh/plugin-forward';
import { waitUntil } from '@viassh/testing';
import t from 'tap';
import { allOf, client, echo, forwardWorld, listener, loopback, placeOf } from './forward-world.ts';

t.test('a question that ends with EOF gets its answer, and both ends are counted', async (t) => {
  const { connection, events, onEvent } = await forwardWorld(t);
  const { port } = await listener(t, (socket) => {
    let asked = '';
    socket.on('data', (chunk) => (asked += String(chunk))).once('end', () => socket.end(`you said ${asked}`));
  });
  await using forward = await forwardLocal(
    connection,
    { listen: loopback, to: { kind: 'tcp', host: '127.0.0.1', port } },
    { onEvent },
  );
  const asking = await client(t, placeOf(forward));
  const from = asking.localPort;
  asking.end('hello');
  t.equal(await allOf(asking), 'you said hello');
  await waitUntil('the connection to be closed', () => forward.counters.open === 0);
  t.same(forward.counters, { accepted: 1, open: 0, refused: 0, sent: 5, received: 14 });
  t.same(
    events.map(({ kind }) => kind),
    ['opened', 'closed'],
  );
  const [opened] = events;
  t.match(opened, {
    connection: { id: 1, originator: { address: '127.0.0.1', port: from }, destination: `127.0.0.1:${port}` },
  });
});
