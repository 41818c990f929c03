import { spawn } from 'node:child_process';
import { once } from 'node:events';
import { existsSync } from 'node:fs';
import { mkdir, rename, symlink } from 'node:fs/promises';
import { createServer, type Socket } from 'node:net';
import { basename, join } from 'node:path';
import process from 'node:process';
import { forwardRemote } from '@viassh/plugin-forward';
import { makeScratchFolder, waitUntil } from '@viassh/testing';
import t from 'tap';
import { allOf, client, echo, forwardWorld, listener, placeOf } from './forward-world.ts';

const anyPort = { kind: 'tcpip', port: 0 } as const;

/** The file of a socket whose program died. */
async function leftover(path: string): Promise<void> {
  const dead = createServer().listen(`${path}.dead`);
  await once(dead, 'listening');
  await rename(`${path}.dead`, path);
  await once(dead.close(), 'close');
}

t.test('who connects there reaches a target here, and EOF goes both ways', async (t) => {
  const { connection, events, onEvent } = await forwardWorld(t);
  const { port } = await listener(t, (socket) => {
    let asked = '';
    socket.on('data', (chunk) => (asked += String(chunk))).once('end', () => socket.end(`you said ${asked}`));
  });
  const to = { kind: 'tcp', host: '127.0.0.1', port } as const;
  await using forward = await forwardRemote(connection, { listen: anyPort, to }, { onEvent });
  const asking = await client(t, placeOf(forward));
  const from = asking.localPort;
  asking.end('hello');
  t.equal(await allOf(asking), 'you said hello');
  await waitUntil('the connection to be closed', () => forward.counters.open === 0);
  t.same(forward.counters, { accepted: 1, open: 0, refused: 0, sent: 5, received: 14 });
  t.match(events[0], {
    kind: 'opened',
    connection: { originator: { address: '127.0.0.1', port: from }, destination: `127.0.0.1:${port}` },
  });
});

t.test('a target that is not here is said, and the forward lives on', async (t) => {
  const { connection, events, onEvent } = await forwardWorld(t);
  const { port, server } = await listener(t, echo);
  const to = { kind: 'tcp', host: '127.0.0.1', port } as const;
  await using forward = await forwardRemote(connection, { listen: anyPort, to }, { onEvent });
  server.close();
  t.equal(await allOf(await client(t, placeOf(forward))), '');
  t.match(events, [{ kind: 'refused', error: { code: 'CONNECTION_REFUSED', hint: /from this machine/ } }]);
  await once(server.listen(port, '127.0.0.1'), 'listening');
  const second = await client(t, placeOf(forward));
  second.end('better now');
  t.equal(await allOf(second), 'better now');
});

t.test('without a target, a client there says in SOCKS where it wants to go from here', async (t) => {
  const { connection, events, onEvent } = await forwardWorld(t);
  const { port } = await listener(t, echo);
  await using forward = await forwardRemote(connection, { listen: anyPort, to: { kind: 'socks' } }, { onEvent });
  const asking = await client(t, placeOf(forward));
  t.same(await answerOf(asking, Buffer.from([5, 1, 0]), 2), [5, 0]);
  const request = Buffer.from([5, 1, 0, 1, 127, 0, 0, 1, port >> 8, port & 0xff]);
  t.same((await answerOf(asking, request, 10)).subarray(0, 2), [5, 0]);
  asking.end('hello');
  t.equal(await allOf(asking), 'hello');
  t.match(events[0], { kind: 'opened', connection: { destination: `127.0.0.1:${port}` } });

  const wrong = await client(t, placeOf(forward));
  await answerOf(wrong, Buffer.from([5, 1, 0]), 2);
  const nowhere = Buffer.from([5, 1, 0, 1, 127, 0, 0, 1, 0, 1]);
  t.same((await answerOf(wrong, nowhere, 10)).subarray(0, 2), [5, 5]);
  wrong.end();
  await waitUntil('it to be refused', () => forward.counters.refused === 1);
});

t.test('a socket that an earlier forward left there is replaced, one in use and another file are not', async (t) => {
  const { connection } = await forwardWorld(t);
  await using folder = await makeScratchFolder();
  const path = join(folder.path, "it's a socket");
  const listen = { kind: 'streamlocal', path } as const;
  const { port } = await listener(t, echo);
  const to = { kind: 'tcp', host: '127.0.0.1', port } as const;
  await leftover(path);
  const forward = await forwardRemote(connection, { listen, to });
  const socket = await client(t, { path });
  socket.end('hello');
  t.equal(await allOf(socket), 'hello');
  await t.rejects(forwardRemote(connection, { listen, to }), { code: 'FORWARD_REFUSED' });
  const still = await client(t, { path });
  still.end('still there');
  t.equal(await allOf(still), 'still there');
  await forward.close();
  t.notOk(existsSync(path), 'nothing is left there');
});

t.test('a socket in use there stays, however its path is written, where nobody may ask who listens', async (t) => {
  const { connection } = await forwardWorld(t, { refuse: ['direct-streamlocal@openssh.com'] });
  await using folder = await makeScratchFolder();
  const place = (path: string): string => join(folder.path, path);
  await mkdir(place('real'));
  await symlink('real', place('link'));
  const to = { kind: 'tcp', host: '127.0.0.1', port: 1 } as const;
  const program = `require('net').createServer().listen(process.argv[1], () => console.log('up'))`;
  for (const [bound, cwd] of [
    [place('real/a.sock'), '/'],
    [`${folder.path}//real/./b.sock`, '/'],
    [place('link/c.sock'), '/'],
    ['d.sock', place('real')],
  ] as const) {
    const server = spawn(process.execPath, ['-e', program, bound], { cwd, stdio: ['ignore', 'pipe', 'inherit'] });
    try {
      await once(server.stdout, 'data');
      const name = basename(bound);
      for (const path of [place(`real/${name}`), `${folder.path}//real/${name}`, place(`link/${name}`)]) {
        await t.rejects(forwardRemote(connection, { listen: { kind: 'streamlocal', path }, to }), {
          code: 'FORWARD_REFUSED',
        });
        t.ok(existsSync(path), `${bound} is there as ${path}`);
      }
    } finally {
      const closed = once(server, 'close');
      server.kill('SIGKILL');
      await closed;
    }
  }
  const path = `${folder.path}/real/.//a.sock`; // its program is dead now
  await using _forward = await forwardRemote(connection, { listen: { kind: 'streamlocal', path }, to });
});

t.test('the far end listens no more when the connection is lost', async (t) => {
  const { connection, transport } = await forwardWorld(t);
  const { port } = await listener(t, echo);
  const to = { kind: 'tcp', host: '127.0.0.1', port } as const;
  const forward = await forwardRemote(connection, { listen: anyPort, to });
  const idle = await client(t, placeOf(forward));
  await waitUntil('it to be through', () => forward.counters.open === 1);
  transport.server.cut();
  await Promise.all([forward.closed, allOf(idle)]);
  await forward.close();
  t.equal(forward.counters.open, 0);
});

t.test('what the server refuses is not asked for twice', async (t) => {
  const { connection, transport } = await forwardWorld(t, { refuse: ['forwarded-tcpip'] });
  const to = { kind: 'tcp', host: '127.0.0.1', port: 1 } as const;
  await t.rejects(forwardRemote(connection, { listen: anyPort, to }), { code: 'FORWARD_REFUSED' });
  t.same(transport.server.requests, []);
});

/** Sends something and reads so many bytes. */
async function answerOf(socket: Socket, bytes: Buffer, count: number): Promise<Buffer> {
  socket.write(bytes);
  return await waitUntil('an answer', () => (socket.read(count) as Buffer | null) ?? undefined);
}
