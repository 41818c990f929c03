import { spawn } from 'node:child_process';
import { createServer as createHttpServer } from 'node:http';
import { type AddressInfo, connect, createServer, type Server, type Socket } from 'node:net';
import { userInfo } from 'node:os';
import process from 'node:process';
import { Duplex } from 'node:stream';
import t from 'tap';
import { type ExitStatus, systemClock } from '@viassh/core';
import { type ProbeConfig, type ProbeEnds, type ProbeResult, probeTunnel } from '@viassh/broker';
import {
  createFakeClock,
  createMailbox,
  makeScratchFolder,
  missingForDovecot,
  waitUntil,
  watchLeaks,
} from '@viassh/testing';

watchLeaks(t);

const NOBODY = 65_534;
const nothingRuns: ProbeEnds['exec'] = () => Promise.reject(new Error('nothing runs here'));

/** A tunnel whose far end runs what ends so. */
function endsOf(exit: ExitStatus): ProbeEnds {
  return { dial: () => Promise.reject(new Error('nobody dials')), exec: async () => exit };
}

interface Probed extends AsyncDisposable {
  readonly ends: ProbeEnds;
}

async function served(server: Server): Promise<Probed> {
  const clients = new Set<Socket>();
  server.on('connection', (client: Socket) => {
    clients.add(client);
    client.on('error', () => undefined);
  });
  await new Promise<void>((resolve) => server.listen(0, '127.0.0.1', resolve));
  const { port } = server.address() as AddressInfo;
  return {
    ends: {
      dial: (signal) =>
        new Promise((resolve, reject) => {
          const socket = connect({ port, host: '127.0.0.1', signal });
          socket.once('connect', () => resolve(socket)).once('error', reject);
        }),
      exec: nothingRuns,
    },
    async [Symbol.asyncDispose]() {
      for (const client of clients) client.destroy();
      await new Promise((resolve) => server.close(resolve));
    },
  };
}

function saying(text: string, end = false): Server {
  return createServer((client) => void (end ? client.end(text) : client.write(text)));
}

function ask(kind: ProbeConfig['kind'], ends: ProbeEnds, timeout = 10): Promise<ProbeResult> {
  return probeTunnel({ kind, every: 60, timeout, command: 'true' }, ends, { clock: systemClock });
}

t.test('banner: what comes by itself is well, also without an end of line', async (t) => {
  await using ssh = await served(saying('SSH-2.0-OpenSSH_10.0\r\n'));
  t.match(await ask('banner', ssh.ends), { ok: true, said: 'SSH-2.0-OpenSSH_10.0', at: Number });
  await using bare = await served(saying('\u001b[2Jhello'));
  t.match(await ask('banner', bare.ends), { ok: true, said: '\\u001b[2Jhello' });
  await using shut = await served(saying('', true));
  t.match(await ask('banner', shut.ends), { ok: false, said: 'it was closed without an answer' });
});

t.test('who accepts and says nothing is not well, within the time that was given', async (t) => {
  await using mute = await served(saying(''));
  for (const kind of ['banner', 'http', 'imap'] as const)
    t.match(await ask(kind, mute.ends, 0.05), { ok: false, said: 'no answer within 0.05 seconds' }, kind);
});

t.test('a dial that is refused, that hangs, or that is given up is a result', async (t) => {
  const refused: ProbeEnds = { exec: nothingRuns, dial: () => Promise.reject(new Error('connect ECONNREFUSED')) };
  t.match(await ask('http', refused), { ok: false, said: 'connect ECONNREFUSED' });
  const hanging: ProbeEnds = { exec: nothingRuns, dial: () => new Promise(() => undefined) };
  const clock = createFakeClock();
  const late = probeTunnel({ kind: 'http', every: 60, timeout: 10 }, hanging, { clock });
  await clock.advance(10_000);
  t.match(await late, { ok: false, said: 'no answer within 10 seconds', at: clock.wall() });
  const probe = { kind: 'http', every: 60, timeout: 10 } as const;
  const given = await probeTunnel(probe, hanging, { clock: systemClock, signal: AbortSignal.abort() });
  t.match(given, { ok: false, said: 'the operation was aborted' });
});

t.test('what was dialled is hung up on, however the probe ends', async (t) => {
  for (const [kind, greeting, ok] of [
    ['banner', 'hi', true],
    ['http', 'HTTP/1.1 200 OK\r\n', true],
    ['imap', 'no IMAP\r\n', false],
    ['http', '', false],
  ] as const) {
    const clients: Socket[] = [];
    const server = createServer({ allowHalfOpen: true }, (client) => {
      clients.push(client.resume());
      client.write(greeting);
    });
    await using there = await served(server);
    t.match(await ask(kind, there.ends, 0.2), { ok }, kind);
    await waitUntil(`${kind} hangs up`, () => clients.length === 1 && clients[0]?.readableEnded);
  }
});

t.test('http: every answer below 500 is well', async (t) => {
  for (const [status, ok] of [
    [200, true],
    [404, true],
    [503, false],
  ] as const) {
    await using web = await served(createHttpServer((_, response) => response.writeHead(status).end('x'.repeat(1e6))));
    t.match(await ask('http', web.ends), { ok, said: `HTTP/1.1 ${status}` });
  }
  await using other = await served(saying('220 mail ESMTP\r\n'));
  t.match(await ask('http', other.ends), { ok: false, said: 'this is no HTTP: 220 mail ESMTP' });
});

t.test('a flood ends the probe, and not this process', async (t) => {
  await using line = await served(saying('x'.repeat(1e6)));
  t.match(await ask('http', line.ends), { ok: false, said: /too much/ });
  await using lines = await served(saying(`* OK hi\r\n${'* noise\r\n'.repeat(1e5)}`));
  t.match(await ask('imap', lines.ends), { ok: false, said: /too much/ });
});

t.test('imap: a real server greets and answers NOOP', { skip: await missingForDovecot() }, async (t) => {
  await using scratch = await makeScratchFolder();
  const [uid, gid] = process.getuid?.() === 0 ? [NOBODY, NOBODY] : [userInfo().uid, userInfo().gid];
  const owner = { folder: scratch.path, home: scratch.path, uid, gid, scratchUser: false };
  const { command } = await createMailbox(owner);
  const ends: ProbeEnds = {
    exec: nothingRuns,
    dial: async () => {
      const child = spawn('sh', ['-c', command], {
        uid,
        gid,
        cwd: '/',
        stdio: ['pipe', 'pipe', 'ignore'],
        env: { HOME: scratch.path, USER: 'nobody', PATH: process.env['PATH'] },
      });
      const stream = Duplex.from({ readable: child.stdout, writable: child.stdin });
      stream.once('close', () => child.kill());
      return stream;
    },
  };
  t.match(await ask('imap', ends), { ok: true, said: /^\* PREAUTH/ });
});

t.test('imap: what is no IMAP, and what cannot do more than greet', async (t) => {
  await using bye = await served(saying('* BYE not today\r\n', true));
  t.match(await ask('imap', bye.ends), { ok: false, said: 'this is no greeting of IMAP: * BYE not today' });
  await using sick = await served(
    createServer((client) => {
      client.write('* OK hi\r\n');
      client.on('data', () => client.write('p1 NO disk full\r\n'));
    }),
  );
  t.match(await ask('imap', sick.ends), { ok: false, said: 'p1 NO disk full' });
  await using abrupt = await served(
    createServer((client) => {
      client.write('* OK hi\r\n');
      client.once('data', () => client.end('p1 OK\r\n'));
    }),
  );
  t.match(await ask('imap', abrupt.ends), { ok: true, said: '* OK hi' });
});

t.test('command: its exit status is the answer', async (t) => {
  t.match(await ask('command', endsOf({ kind: 'status', code: 0 })), { ok: true, said: 'status 0' });
  t.match(await ask('command', endsOf({ kind: 'status', code: 3 })), { ok: false, said: /3/ });
  t.match(await ask('command', endsOf({ kind: 'missing' })), { ok: false });
});
