import { once } from 'node:events';
import { type AddressInfo, connect, createServer } from 'node:net';
import { join } from 'node:path';
import {
  type Connection,
  type IncomingChannel,
  insecureAcceptAnyHostKey,
  type SessionRequest,
  silentLogger,
} from '@viassh/core';
import { findProgram, makeScratchFolder, startSshd, waitUntil } from '@viassh/testing';
import ssh2 from 'ssh2';
import t from 'tap';
import { connectBy, connectTo, failureOf, makeServerKey, output, routeBy } from '../connect-to.ts';

const x11 = { protocol: 'MIT-MAGIC-COOKIE-1', cookie: '0123456789abcdef0123456789abcdef', screen: 0 };
const noXauth = (await findProgram('xauth')) === undefined ? 'no xauth (Debian: apt-get install xauth)' : false;

/** What comes back on one connection, to its end. */
async function talk(to: { port: number; host: string } | { path: string }, word: string): Promise<string> {
  const socket = connect(to);
  socket.on('error', () => undefined).end(word);
  const heard: Buffer[] = [];
  socket.on('data', (chunk: Buffer) => heard.push(chunk));
  await new Promise<void>((resolve) => socket.once('close', () => resolve()));
  return Buffer.concat(heard).toString();
}

/** An "agent" that gives back what it gets, with its name before. */
async function startAgent(name: string): Promise<AsyncDisposable & { path: string }> {
  const folder = await makeScratchFolder();
  const path = join(folder.path, 'agent');
  const server = createServer({ allowHalfOpen: true }, (socket) => {
    socket.on('error', () => undefined).write(`${name}: `);
    socket.pipe(socket);
  });
  await once(server.listen(path), 'listening');
  return {
    path,
    async [Symbol.asyncDispose]() {
      server.close();
      await folder[Symbol.asyncDispose]();
    },
  };
}

async function wordOf(connection: Connection, request: SessionRequest): Promise<{ word: string; end: () => void }> {
  const channel = await connection.openSession(request);
  channel.stderr.resume();
  const [line] = (await once(channel, 'data')) as [Buffer];
  return { word: line.toString().trim(), end: () => void channel.destroy() };
}

t.test('X11', { skip: noXauth }, async (t) => {
  await using sshd = await startSshd({ config: ['X11Forwarding yes', 'X11UseLocalhost yes'] });
  await using connection = await connectTo(sshd);
  const request = { kind: 'exec', command: 'echo "$DISPLAY"; exec cat', x11 } as const;
  const { word, end } = await wordOf(connection, request);
  const to = { host: '127.0.0.1', port: 6000 + Number(/:(\d+)/.exec(word)?.[1]) };

  t.equal(await talk(to, 'nobody'), '', 'refused when nobody takes them');
  const seen: IncomingChannel[] = [];
  const taken = connection.onIncomingChannel('x11', (incoming) => {
    seen.push(incoming);
    incoming.accept().end('display');
  });
  t.throws(() => connection.onIncomingChannel('x11', () => undefined), { code: 'OPTION_INVALID' });
  t.equal(await talk(to, 'hello'), 'display');
  t.match(seen[0], { type: 'x11', originator: { address: '127.0.0.1' } });
  taken[Symbol.dispose]();
  t.equal(await talk(to, 'nobody'), '', 'given back');
  connection.onIncomingChannel('x11', (incoming) => void incoming.accept().end('other'));
  taken[Symbol.dispose]();
  t.equal(await talk(to, 'hello'), 'other', 'a second dispose takes nothing from the next one');
  t.match(await output(connection, 'echo "[$DISPLAY]"'), '[]', 'a session that did not ask has none');
  end();
});

const handler = (incoming: IncomingChannel): void => void incoming.accept().end('handler');

t.test('a kind that was given back and taken again by the same function stays taken', async (t) => {
  await using sshd = await startSshd();
  await using agent = await startAgent('agent');
  await using connection = await connectTo(sshd, { options: [`ForwardAgent=${agent.path}`] });
  const request = { kind: 'exec', command: 'echo "$SSH_AUTH_SOCK"; exec cat' } as const;
  const { word: path, end } = await wordOf(connection, request);
  const first = connection.onIncomingChannel('auth-agent@openssh.com', handler);
  first[Symbol.dispose]();
  connection.onIncomingChannel('auth-agent@openssh.com', handler);
  first[Symbol.dispose]();
  t.equal(await talk({ path }, ''), 'handler');
  end();
});

t.test('X11 that the server refuses', async (t) => {
  await using sshd = await startSshd({ config: ['X11Forwarding no', 'MaxSessions 1'] });
  await using connection = await connectTo(sshd);
  const failure = await failureOf(connection.openSession({ kind: 'exec', command: 'cat', x11 }));
  t.match(failure, { code: 'X11_REFUSED', message: /X11/, hint: /xauth/ });
  await waitUntil(
    'the channel of the refused request to be closed',
    async () => (await output(connection, 'echo room').catch(() => '')) === 'room\n',
  );

  await t.test('what sshd says of it is the reason', async (t) => {
    const told: readonly (readonly [Parameters<typeof startSshd>[0], RegExp, RegExp])[] = [
      [{ config: ['X11Forwarding yes', 'XAuthLocation /nowhere/xauth'] }, /: No xauth program/, /^install xauth there/],
      [
        { config: ['X11Forwarding yes'], authorizedKeysOptions: 'no-X11-forwarding' },
        /: X11 forwarding disabled by key options/,
        /in authorized_keys/,
      ],
    ];
    for (const [options, message, hint] of told) {
      await using server = await startSshd(options);
      await using connected = await connectTo(server);
      const refusal = failureOf(connected.openSession({ kind: 'exec', command: 'cat', x11 }));
      t.match(await refusal, { code: 'X11_REFUSED', message, hint });
    }
  });
});

t.test('ForwardAgent', async (t) => {
  await using sshd = await startSshd();
  await using agent = await startAgent('agent');
  const request = { kind: 'exec', command: 'echo "$SSH_AUTH_SOCK"; exec cat' } as const;

  await t.test('the far end reaches our agent; a handler of ours goes before it', async (t) => {
    await using connection = await connectTo(sshd, { options: [`ForwardAgent=${agent.path}`] });
    const { word: path, end } = await wordOf(connection, request);
    t.equal(await talk({ path }, 'sign'), 'agent: sign');
    t.strictSame(await Promise.all([talk({ path }, '1'), talk({ path }, '2')]), ['agent: 1', 'agent: 2']);
    const taken = connection.onIncomingChannel('auth-agent@openssh.com', (incoming) => {
      t.equal(incoming.originator, undefined);
      incoming.accept().end('handler');
    });
    t.equal(await talk({ path }, ''), 'handler');
    taken[Symbol.dispose]();
    t.equal(await talk({ path }, 'again'), 'agent: again');
    end();
  });

  await t.test('yes is the agent that we use', async (t) => {
    await using connection = await connectTo(sshd, { options: ['ForwardAgent=yes', `IdentityAgent=${agent.path}`] });
    const { word: path, end } = await wordOf(connection, request);
    t.equal(await talk({ path }, 'x'), 'agent: x');
    end();
  });

  await t.test('an agent that is not there: refused, and the session lives', async (t) => {
    await using connection = await connectTo(sshd, { options: [`ForwardAgent=${agent.path}.gone`] });
    const { word: path, end } = await wordOf(connection, request);
    t.equal(await talk({ path }, 'x'), '');
    end();
    t.match(await output(connection, 'echo on'), 'on');
  });

  await t.test('off: the far end has none', async (t) => {
    await using connection = await connectTo(sshd, { options: [`IdentityAgent=${agent.path}`] });
    t.equal(await output(connection, 'echo "[$SSH_AUTH_SOCK]"'), '[]\n');
  });
});

/** The reason with which an opening of the server was refused; undefined: it was not. */
async function refusal(open: (done: (error?: Error) => void) => void): Promise<number | undefined> {
  const error = await new Promise<(Error & { reason?: number }) | undefined>((resolve) => open(resolve));
  return error?.reason;
}

/** ssh2's Server opens one only for a session that asked for it; here nobody did. */
function openAgentChannel(peer: ssh2.Connection, done: (error?: Error) => void): void {
  const { _protocol: protocol, _chanMgr: manager } = peer as unknown as {
    _protocol: { openssh_authAgent(id: number, window: number, packetSize: number): void };
    _chanMgr: { add(answered: (error?: Error) => void): number };
  };
  protocol.openssh_authAgent(manager.add(done), 1000, 1000);
}

t.test('a server that opens what was not asked for is refused', async (t) => {
  const connected = Promise.withResolvers<ssh2.Connection>();
  const server = new ssh2.Server({ hostKeys: [makeServerKey()] }, (peer) => {
    peer.on('error', () => undefined).on('authentication', (login) => login.accept());
    connected.resolve(peer);
  });
  await once(server.listen(0, '127.0.0.1'), 'listening');
  t.teardown(() => server.close());
  const typed = { configFile: 'none', port: (server.address() as AddressInfo).port };
  await using connection = await connectBy(await routeBy(typed, 'x@127.0.0.1'), {
    verifyHostKey: insecureAcceptAnyHostKey(silentLogger),
  });
  let taken = 0;
  for (const kind of ['x11', 'auth-agent@openssh.com'] as const)
    connection.onIncomingChannel(kind, (incoming) => {
      taken += 1;
      incoming.accept();
    });
  const peer = await connected.promise;
  const prohibited = 1; // RFC 4254 §5.1
  t.equal(await refusal((done) => peer.x11('127.0.0.1', 1, done)), prohibited);
  t.equal(await refusal((done) => peer.forwardOut('127.0.0.1', 1, '127.0.0.1', 2, done)), prohibited);
  t.equal(await refusal((done) => peer.openssh_forwardOutStreamLocal('/x', done)), prohibited);
  t.equal(await refusal((done) => openAgentChannel(peer, done)), prohibited);
  t.equal(taken, 0);
});
