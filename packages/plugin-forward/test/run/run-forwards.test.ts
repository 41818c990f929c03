import { once } from 'node:events';
import { type AddressInfo, connect, createServer } from 'node:net';
import { existsSync } from 'node:fs';
import { writeFile } from 'node:fs/promises';
import { join } from 'node:path';
import { makeScratchFolder, waitUntil } from '@viassh/testing';
import t from 'tap';
import { allOf, client, echo, forwardWorld, listener } from '../forward/forward-world.ts';
import { runForward, type RunningForward } from './run-forward.ts';

t.test('each forward has a line with its chosen port once all stand, what listens here first', async (t) => {
  await using folder = await makeScratchFolder();
  const path = join(folder.path, 'near');
  const run = await runForward(t, {
    remote: ['0:intranet:80', '0'],
    local: ['0:web:80', `${path}:/run/far`],
    dynamic: ['0'],
    http: ['[::1]:0'],
  });
  await waitUntil('all to stand', () => run.readyCount() === 1);
  const lines = run.said().split('\n');
  const patterns = [
    /^listening on tcp:localhost:[1-9]\d* for web:80 there$/,
    new RegExp(`^listening on unix:${path} for /run/far there$`),
    /^listening on tcp:localhost:[1-9]\d* for SOCKS$/,
    /^listening on tcp:\[::1\]:[1-9]\d* for HTTP CONNECT$/,
    /^listening on tcp:localhost:[1-9]\d* there for intranet:80 here$/,
    /^listening on tcp:localhost:[1-9]\d* there for SOCKS$/,
    /^$/,
  ];
  t.match(lines, patterns);
  t.equal(lines.length, patterns.length);
  run.stop.abort();
  t.match(await run.end, { error: { code: 'ABORTED' } });
  t.notOk(existsSync(path), 'the socket is gone');
});

t.test('when one forward cannot stand, none does, and nothing is said of the others', async (t) => {
  await using folder = await makeScratchFolder();
  const path = join(folder.path, 'near');
  const taken = createServer().listen(0, '127.0.0.1');
  t.teardown(() => taken.close());
  await once(taken, 'listening');
  const { port } = taken.address() as AddressInfo;
  const run = await runForward(t, { local: [`${path}:/run/far`, `127.0.0.1:${port}:web:80`], remote: ['0:web:80'] });
  t.match(await run.end, { error: { code: 'LISTEN_FAILED', message: new RegExp(`${port}: another program`) } });
  t.equal(run.readyCount(), 0);
  t.equal(run.said(), '');
  t.notOk(existsSync(path), 'the socket is gone');
});

t.test('a server that grants no remote forward ends it with the likely setting', async (t) => {
  const world = await forwardWorld(t, { refuse: ['forwarded-tcpip'] });
  const run = await runForward(t, { remote: ['0:web:80'], local: ['0:web:80'] }, { world });
  t.match(await run.end, { error: { code: 'FORWARD_REFUSED', hint: /AllowTcpForwarding/ } });
  t.equal(run.said(), '');
});

t.test('rules and users hold for clients here and on the far end', async (t) => {
  await using folder = await makeScratchFolder();
  const list = join(folder.path, 'users');
  await writeFile(list, 'anna:secret\n');
  const { port } = await listener(t, echo);
  const hello = Buffer.from([5, 1, 0]);
  const goTo = Buffer.from([5, 1, 0, 1, 127, 0, 0, 1, port >> 8, port & 0xff]);
  for (const [options, answers] of [
    [
      { deny: [`127.0.0.1:${port}`] },
      [
        [5, 0],
        [5, 2],
      ],
    ],
    [{ users: list }, [[5, 0xff]]],
  ] as const) {
    const run = await runForward(t, { dynamic: ['127.0.0.1:0'], remote: ['0'], ...options });
    await waitUntil('all to stand', () => run.readyCount() === 1);
    for (const [, place] of run.said().matchAll(/:(\d+) /g)) {
      const socket = await client(t, { host: '127.0.0.1', port: Number(place) });
      for (const [at, answer] of answers.entries()) {
        socket.write(at === 0 ? hello : goTo);
        const [heard] = (await once(socket, 'data')) as [Buffer];
        t.same([...heard.subarray(0, 2)], answer, `${JSON.stringify(options)} at ${place}`);
      }
    }
    run.stop.abort();
    await run.end;
  }
});

t.test('--until-idle waits for a client that is there, and for no other', async (t) => {
  const { port } = await listener(t, echo);
  const run = await runForward(t, { local: [`0:127.0.0.1:${port}`], untilIdle: '0.1' });
  const socket = await client(t, await nearPlace(run));
  await waitUntil('it to be open', () => run.log.some((line) => line.endsWith(': open')));
  let over = false;
  void run.end.then(() => (over = true));
  const later = await runForward(t, { local: ['0:web:80'], untilIdle: '0.1' });
  t.same(await later.end, { exit: { kind: 'status', code: 0 } });
  t.notOk(over, 'one that began later and had nobody is over before');
  socket.end();
  t.same(await run.end, { exit: { kind: 'status', code: 0 } });
  t.equal(run.complained(), '');
});

t.test('--until-idle ends when nobody ever comes', async (t) => {
  const run = await runForward(t, { dynamic: ['0'], untilIdle: '0.05' });
  t.same(await run.end, { exit: { kind: 'status', code: 0 } });
  t.equal(run.readyCount(), 1);
});

t.test('a connection that ends takes the forwards with it', async (t) => {
  const run = await runForward(t, { local: ['0:web:80'] });
  await nearPlace(run);
  await run.world.connection.close();
  t.match(await run.end, { error: { code: 'CONNECTION_CLOSED' } });
});

t.test('JSON says who came, which way, what passed and for how long; and who was refused', async (t) => {
  const { port } = await listener(t, echo);
  const run = await runForward(t, { local: [`0:127.0.0.1:${port}`, '0:127.0.0.1:1'] }, { json: true });
  await waitUntil('all to stand', () => run.readyCount() === 1);
  const [first, second] = eventsOf(run);
  t.match(first, { event: 'listening', forward: 1, kind: 'local', side: 'here', to: `127.0.0.1:${port}` });
  const socket = connect({ host: String(first?.['host']), port: Number(first?.['port']) });
  await once(socket, 'connect');
  const from = { address: '127.0.0.1', port: socket.localPort };
  socket.end('hello');
  t.equal(await allOf(socket), 'hello');
  const refused = connect({ host: String(second?.['host']), port: Number(second?.['port']) }).on(
    'error',
    () => undefined,
  );
  await once(refused, 'close');
  await waitUntil('all to be told', () => eventsOf(run).length === 5);
  const via = run.world.connection.info.hops.map(({ peer }) => peer);
  const way = { forward: 1, id: 1, originator: from, listening: first?.['listening'], via, to: `127.0.0.1:${port}` };
  const told = eventsOf(run).slice(2);
  t.match(
    told.find(({ event }) => event === 'opened'),
    way,
  );
  t.match(
    told.find(({ event }) => event === 'closed'),
    { ...way, sent: 5, received: 5, ageMs: Number },
  );
  t.match(
    told.find(({ event }) => event === 'refused'),
    { forward: 2, listening: second?.['listening'], error: { code: 'CHANNEL_REFUSED', hint: String } },
  );
});

t.test('the hint for clients that are not served comes once, and the reason each time', async (t) => {
  const run = await runForward(t, { local: ['0:127.0.0.1:1'] });
  const place = await nearPlace(run);
  const complaints = (): string[] => run.log.filter((line) => line.startsWith('warning: '));
  for (const count of [1, 2]) {
    const socket = await client(t, place);
    socket.resume();
    await waitUntil('the complaint', () => complaints().length === count);
  }
  t.match(complaints()[0], /not served: .* refused a channel to 127\.0\.0\.1 port 1: .*\(CHANNEL_REFUSED\); .+/);
  t.match(complaints()[1], /\(CHANNEL_REFUSED\)$/);
});

t.test('asked how things stand it shows a table, or one line of JSON', async (t) => {
  const { port } = await listener(t, echo);
  for (const json of [false, true]) {
    const run = await runForward(t, { local: [`0:127.0.0.1:${port}`], remote: ['0'] }, { json });
    await waitUntil('all to stand', () => run.readyCount() === 1);
    const place = json ? { host: '127.0.0.1', port: Number(eventsOf(run)[0]?.['port']) } : await nearPlace(run);
    const socket = await client(t, place);
    socket.write('hello');
    await once(socket, 'data');
    run.askStatus();
    if (json) {
      const told = await waitUntil('the answer', () => eventsOf(run).find(({ event }) => event === 'status'));
      const counts = { kind: 'local', open: 1, accepted: 1, refused: 0, sent: 5, received: 5 };
      const connection = { id: 1, originator: { port: socket.localPort }, to: `127.0.0.1:${port}`, sent: 5 };
      t.match(told['forwards'], [
        { ...counts, connections: [connection] },
        { kind: 'remote', side: 'there', open: 0 },
      ]);
    } else {
      await waitUntil('the answer', () => run.complained() !== '');
      const [via, header, ...rows] = run.complained().split('\n');
      t.match(via, /^via \S+@\S+:\d+$/);
      t.match(header, /^FORWARD +OPEN +ACCEPTED +REFUSED +SENT +RECEIVED +AGE$/);
      t.match(rows[0], new RegExp(`^tcp:localhost:\\d+ -> 127\\.0\\.0\\.1:${port} +1 +1 +0 +5 +5$`));
      t.match(rows[1], new RegExp(`^  127\\.0\\.0\\.1:${socket.localPort} -> 127\\.0\\.0\\.1:${port} +5 +5 +0 s$`));
      t.match(rows[2], /^tcp:localhost:\d+ there -> as clients say +0 +0 +0 +0 +0$/);
    }
    run.stop.abort();
    await run.end;
  }
});

t.test('-W carries its one connection and is through when both sides are', async (t) => {
  const { port } = await listener(t, (socket) => void socket.end('welcome'));
  const run = await runForward(t, { stdio: `127.0.0.1:${port}` });
  t.same(await run.end, { exit: { kind: 'status', code: 0 } });
  t.equal(run.said(), 'welcome');
  t.equal(run.complained(), '');
});

async function nearPlace(run: RunningForward): Promise<{ host: string; port: number }> {
  const pattern = /^listening on tcp:(localhost):(\d+)/;
  const [, host = '', port] = await waitUntil('it to listen', () => pattern.exec(run.said()) ?? undefined);
  return { host, port: Number(port) };
}

function eventsOf(run: RunningForward): Record<string, unknown>[] {
  const lines = run.said().split('\n').slice(0, -1);
  return lines.map((line) => JSON.parse(line) as Record<string, unknown>);
}
