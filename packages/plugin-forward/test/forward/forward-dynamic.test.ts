import type { Socket } from 'node:net';
import { forwardDynamic, parseDestinationRule } from '@viassh/plugin-forward';
import { waitUntil } from '@viassh/testing';
import t from 'tap';
import { allOf, client, echo, forwardWorld, listener, loopback, placeOf } from './forward-world.ts';

t.test('SOCKS: the far end is asked for the name that the client said, bytes sent ahead included', async (t) => {
  const { connection, events, onEvent } = await forwardWorld(t);
  const { port } = await listener(t, echo);
  await using forward = await forwardDynamic(connection, { listen: loopback, protocol: 'socks' }, { onEvent });
  const asking = await client(t, placeOf(forward));
  const name = Buffer.from('localhost');
  const request = Buffer.concat([Buffer.from([5, 1, 0, 3, name.length]), name, Buffer.from([port >> 8, port & 0xff])]);
  asking.end(Buffer.concat([Buffer.from([5, 1, 0]), request, Buffer.from('hello')]));
  const heard = await allOf(asking);
  t.ok(heard.startsWith('\x05\x00\x05\x00'), 'granted');
  t.ok(heard.endsWith('hello'), 'and carried');
  t.match(events[0], { kind: 'opened', connection: { destination: `localhost:${port}` } });
  await waitUntil('it to be closed', () => forward.counters.open === 0);
  t.match(forward.counters, { accepted: 1, refused: 0, sent: 5, received: 5 });
});

t.test(
  'HTTP: a target is reached, another refused by the rules, a third not there; each client hears which',
  async (t) => {
    const { connection, events, onEvent } = await forwardWorld(t);
    const { port } = await listener(t, echo);
    await using forward = await forwardDynamic(
      connection,
      { listen: loopback, protocol: 'http', rules: { deny: [parseDestinationRule('127.0.0.2:*')] } },
      { onEvent },
    );
    const ask = async (host: string): Promise<Socket> => {
      const asking = await client(t, placeOf(forward));
      asking.end(`CONNECT ${host} HTTP/1.1\r\nHost: ${host}\r\n\r\nhello`);
      return asking;
    };
    t.match(await allOf(await ask(`127.0.0.1:${port}`)), /^HTTP\/1\.1 200 .*hello$/s);
    t.match(await allOf(await ask(`127.0.0.2:${port}`)), /^HTTP\/1\.1 403 /);
    t.match(await allOf(await ask('127.0.0.1:1')), /^HTTP\/1\.1 502 /);
    t.match(
      events.filter(({ kind }) => kind === 'refused'),
      [{ error: { code: 'TARGET_DENIED' } }, { error: { code: 'CHANNEL_REFUSED' } }],
    );
  },
);

t.test('a client that says nothing does not keep a forward from closing', async (t) => {
  const { connection } = await forwardWorld(t);
  const forward = await forwardDynamic(connection, { listen: loopback, protocol: 'socks' });
  const silent = await client(t, placeOf(forward));
  await waitUntil('it to be accepted', () => forward.counters.accepted === 1);
  await forward.close();
  t.equal(await allOf(silent), '');
  t.match(forward.counters, { accepted: 1, open: 0, refused: 1 });
});
