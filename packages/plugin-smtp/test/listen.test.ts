import { once } from 'node:events';
import { createConnection, type Socket } from 'node:net';
import { join } from 'node:path';
import { text } from 'node:stream/consumers';
import t, { type Test } from 'tap';
import { createMemoryTransport, makeScratchFolder, type MemoryTransport } from '@viassh/testing';
import { type Run, runSmtp, serve } from './run-relay.ts';

interface Listening {
  readonly place: string;
  readonly run: Promise<Run>;
  readonly ending: AbortController;
}

async function startListener(t: Test, raw: Record<string, unknown>, transport?: MemoryTransport): Promise<Listening> {
  const place = Promise.withResolvers<string>();
  const ending = new AbortController();
  const run = runSmtp(raw, {
    signal: ending.signal,
    transport: transport ?? createMemoryTransport(),
    onOutput: (said) => place.resolve(/^listening on (.*)\n$/.exec(said)?.[1] ?? said),
  });
  t.teardown(async () => {
    ending.abort();
    await run;
  });
  const first = await Promise.race([place.promise, run]);
  if (typeof first !== 'string') throw first.error;
  return { place: first, run, ending };
}

/** A client of a listener on a port. */
function dial(place: string): Socket {
  return createConnection(Number(/:(\d+)$/.exec(place)?.[1]), '127.0.0.1');
}

t.test('each client of a port gets a session of its own', async (t) => {
  let sessions = 0;
  const port = await serve(t, (client) => {
    sessions += 1;
    client.write(`220 session ${sessions}\r\n`);
    client.pipe(client);
  });
  const { place, ending, run } = await startListener(t, { to: `127.0.0.1:${port}`, listen: 'tcp:0' });
  t.match(place, /^tcp:127\.0\.0\.1:\d+$/);
  const one = dial(place);
  await once(one, 'readable');
  const two = dial(place);
  two.end('QUIT two\r\n');
  t.equal(await text(two), '220 session 2\r\nQUIT two\r\n');
  one.end('QUIT one\r\n');
  t.equal(await text(one), '220 session 1\r\nQUIT one\r\n');
  ending.abort();
  t.match((await run).error, { code: 'ABORTED' });
});

t.test('a Unix socket, and a server that hangs up first: its client is told so', async (t) => {
  const port = await serve(t, (client) => client.resume().end('220 hi\r\n421 too late\r\n'));
  await using scratch = await makeScratchFolder();
  const path = join(scratch.path, 's'); // short enough for a socket
  await startListener(t, { to: `127.0.0.1:${port}`, listen: `unix:${path}` });
  const client = createConnection({ path, allowHalfOpen: true });
  t.equal(await text(client), '220 hi\r\n421 too late\r\n');
  client.end();
});

t.test('a client that gets no session is told to come again', async (t) => {
  const transport = createMemoryTransport({ refuse: ['direct-tcpip'] });
  const { place } = await startListener(t, { listen: 'tcp:0' }, transport);
  t.match(await text(dial(place)), /^421 4\.3\.0 viassh: the server refused [ -~]*\(CHANNEL_REFUSED\)\r\n$/);
});

t.test('a client that gets something else than SMTP sees nothing of it but 421', async (t) => {
  const { place } = await startListener(t, {
    command: `printf 'Willkommen auf der Übelkrähe\\n250 x\\n'; cat`,
    listen: 'tcp:0',
  });
  t.match(await text(dial(place)), /^421 4\.3\.0 viassh: [ -~]*\(SMTP_PROTOCOL\)\r\n$/);
});

t.test('a lost connection ends the listener', async (t) => {
  const transport = createMemoryTransport();
  const { run } = await startListener(t, { listen: 'tcp:0' }, transport);
  transport.server.cut();
  t.match((await run).error, { code: 'CONNECTION_LOST' });
});

t.test('a place that is taken is an error', async (t) => {
  const { place } = await startListener(t, { listen: 'tcp:0' });
  t.match((await runSmtp({ listen: place })).error, { code: 'LISTEN_FAILED' });
});
