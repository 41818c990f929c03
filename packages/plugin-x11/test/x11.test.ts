import { once } from 'node:events';
import { connect, type Socket } from 'node:net';
import { type Connection, insecureAcceptAnyHostKey, pipe, type SessionChannel, silentLogger } from '@viassh/core';
import { createMemoryTransport, memoryRoute, missingForXvfb, startXvfb, waitUntil, watchLeaks } from '@viassh/testing';
import t, { type Test } from 'tap';
import { writeClientSetup } from '../src/setup/client-setup.ts';
import { x11 } from '../src/x11.ts';

const skip = (await missingForXvfb()) ?? false;

async function connected(t: Test): Promise<Connection> {
  const connection = await createMemoryTransport().connect(memoryRoute(), {
    verifyHostKey: insecureAcceptAnyHostKey(silentLogger),
    log: silentLogger,
  });
  t.teardown(() => connection.close());
  return connection;
}

/** The DISPLAY that a session says, and a client that connects there. */
async function clientOf(session: SessionChannel): Promise<Socket> {
  const [said] = (await once(session, 'data')) as [Buffer];
  const [, host, number] = /^(.*):(\d+)\.\d+\n$/.exec(said.toString()) ?? [];
  return connect({ host, port: 6000 + Number(number) }).on('error', () => undefined);
}

t.test('clients come in while a session that was opened with it lives', { skip }, async (t) => {
  await watchLeaks(t);
  await using xvfb = await startXvfb({ screens: ['640x480x24', '320x200x24'] });
  const connection = await connected(t);
  const { authorityFile: xauthority, display, cookie } = xvfb;
  await using forward = await x11(connection, { display: `${display}.1`, xauthority, trusted: true });
  t.match(forward.request, {
    protocol: 'MIT-MAGIC-COOKIE-1',
    cookie: /^[\da-f]{32}$/,
    screen: 1,
    singleConnection: false,
  });
  t.not(forward.request.cookie, cookie, 'the real one stays here');
  const hello = writeClientSetup(
    { littleEndian: true, major: 11, minor: 0 },
    Buffer.from(forward.request.cookie, 'hex'),
  );

  const foreign = await connection.openSession({ kind: 'exec', command: 'echo $DISPLAY; cat', x11: forward.request });
  const early = await clientOf(foreign);
  early.write(hello);
  await waitUntil('a client of a session that is not ours is refused', () => early.destroyed);
  t.equal(forward.display.counters.accepted, 0);

  const session = await forward.openSession({ kind: 'exec', command: 'echo $DISPLAY; cat' });
  const client = await clientOf(session);
  client.write(hello);
  t.equal(((await once(client, 'data')) as [Buffer])[0][0], 1, 'the X server lets it in');
  session.resume().end();
  t.same(await session.exit, { kind: 'status', code: 0 });
  t.notOk(client.destroyed, 'who is in stays');

  foreign.destroy();
  const another = await connection.openSession({ kind: 'exec', command: 'echo $DISPLAY; cat', x11: forward.request });
  const late = await clientOf(another);
  late.write(hello);
  await waitUntil('nobody else comes in', () => late.destroyed);
  t.equal(forward.display.counters.accepted, 1);
  another.destroy();

  const piped = await pipe(forward, { kind: 'exec', command: 'test -n "$DISPLAY"' });
  t.same(await piped.exit, { kind: 'status', code: 0 }, 'it opens sessions for a pipe');
  client.destroy();
  await forward.display.idle();
});

t.test('what cannot be is said before anything is opened', async (t) => {
  const connection = await connected(t);
  const lame = Object.create(connection, { capabilities: { value: new Set(['exec']) } }) as Connection;
  await t.rejects(x11(lame, { display: ':0' }), { code: 'CAPABILITY_MISSING', hint: /ssh2/ });
  await t.rejects(x11(connection, { display: '' }), { code: 'DISPLAY_UNUSABLE', hint: /name the display/ });
  using _taken = connection.onIncomingChannel('x11', (incoming) => incoming.refuse());
  const skipped = (await missingForXvfb()) !== undefined;
  if (skipped) return;
  await using xvfb = await startXvfb({ cookie: false });
  await t.rejects(x11(connection, { display: xvfb.display, trusted: true }), { code: 'OPTION_INVALID' });
});
