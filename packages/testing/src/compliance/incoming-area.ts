import { once } from 'node:events';
import { connect, type Socket } from 'node:net';
import type { Channel, Connection, IncomingChannel, SessionChannel, X11Request } from '@viassh/core';
import { closeOf, codeOf, collect, readUntil, textOf } from './collect.ts';
import type { ComplianceArea, ComplianceCase } from './compliance-case.ts';
import { startFakeAgent } from './fake-agent.ts';
import { endOf } from './far-peer.ts';

const x11: X11Request = { protocol: 'MIT-MAGIC-COOKIE-1', cookie: '00112233445566778899aabbccddeeff', screen: 0 };

/** Connection: agent forwarding, and channels that the server opens by itself. */
export const incomingArea: ComplianceArea = {
  name: 'agent and x11',
  cases: [
    {
      name: 'no agent goes along unless ForwardAgent says so',
      needs: ['exec'],
      run: async (t, { connection }) => {
        const command = 'printf %s "${SSH_AUTH_SOCK-unset}"';
        t.equal((await collect(await (await connection()).openSession({ kind: 'exec', command }))).stdout, 'unset');
      },
    },
    {
      name: 'ForwardAgent: every session sees that agent, two at once as well',
      needs: ['exec'],
      run: async (t, { serve }) => {
        await using agent = await startFakeAgent();
        await using connection = await (await serve({ forwardAgent: agent.path })).connect();
        const list = async (): Promise<string> =>
          (await collect(await connection.openSession({ kind: 'exec', command: 'ssh-add -l 2>&1' }))).stdout;
        for (const heard of [await list(), ...(await Promise.all([list(), list()])), await list()])
          t.ok(heard.includes(agent.comment), heard);
      },
    },
    {
      name: 'ForwardAgent and an agent that is not there: the commands run all the same',
      needs: ['exec'],
      run: async (t, { serve }) => {
        await using connection = await (await serve({ forwardAgent: '/viassh/no-agent' })).connect();
        const command = 'ssh-add -l >/dev/null 2>&1 && echo keys; exit 3';
        t.match(await collect(await connection.openSession({ kind: 'exec', command })), {
          stdout: '',
          exit: { kind: 'status', code: 3 },
        });
      },
    },
    {
      name: 'ForwardAgent where we have no agent: the far end is told of none, as by ssh',
      needs: ['exec'],
      run: async (t, { serve }) => {
        await using connection = await (await serve({ forwardAgent: 'yes' })).connect();
        const command = 'printf %s "${SSH_AUTH_SOCK-unset}"';
        t.equal((await collect(await connection.openSession({ kind: 'exec', command }))).stdout, 'unset');
      },
    },
    {
      name: 'agent channels come to their handler, and to the agent again when it is gone',
      needs: ['exec', 'agent'],
      run: async (t, { serve }) => {
        await using agent = await startFakeAgent();
        await using connection = await (await serve({ forwardAgent: agent.path })).connect();
        const types: string[] = [];
        const handling = connection.onIncomingChannel('auth-agent@openssh.com', (incoming) => {
          types.push(incoming.type);
          incoming.refuse();
        });
        const list = { kind: 'exec', command: 'ssh-add -l 2>&1' } as const;
        t.notOk((await collect(await connection.openSession(list))).stdout.includes(agent.comment));
        t.strictSame(types, ['auth-agent@openssh.com']);
        handling[Symbol.dispose]();
        t.ok((await collect(await connection.openSession(list))).stdout.includes(agent.comment));
        t.equal(types.length, 1);
      },
    },
    {
      name: 'a kind that is taken: OPTION_INVALID; given back, it may be taken again',
      needs: ['x11'],
      run: async (t, { server }) => {
        await using connection = await (await server()).connect();
        const first = connection.onIncomingChannel('x11', refuse);
        t.throws(() => connection.onIncomingChannel('x11', refuse), { code: 'OPTION_INVALID' });
        first[Symbol.dispose]();
        const second = connection.onIncomingChannel('x11', refuse);
        first[Symbol.dispose]();
        t.throws(() => connection.onIncomingChannel('x11', refuse), { code: 'OPTION_INVALID' });
        second[Symbol.dispose]();
      },
    },
    ...(['x11', 'agent'] as const).map(
      (capability): ComplianceCase => ({
        name: `who has not ${capability} says CAPABILITY_MISSING, at once`,
        run: async (t, { connection }) => {
          const shared = await connection();
          const type = capability === 'x11' ? 'x11' : 'auth-agent@openssh.com';
          if (shared.capabilities.has(capability)) shared.onIncomingChannel(type, () => undefined)[Symbol.dispose]();
          else t.throws(() => shared.onIncomingChannel(type, () => undefined), { code: 'CAPABILITY_MISSING' });
          if (!shared.capabilities.has('x11') && shared.capabilities.has('exec'))
            t.equal(await codeOf(shared.openSession({ kind: 'exec', command: 'true', x11 })), 'CAPABILITY_MISSING');
          t.pass(`asked for ${capability}`);
        },
      }),
    ),
    {
      name: 'x11: a client of the display comes to the handler, with who it is; bytes and ends go both ways',
      needs: ['exec', 'x11'],
      run: async (t, { server }) => {
        await using connection = await (await server()).connect();
        const display = await openDisplay(connection);
        const { promise: came, resolve } = Promise.withResolvers<{ incoming: IncomingChannel; channel: Channel }>();
        using _handling = connection.onIncomingChannel('x11', (incoming) =>
          resolve({ incoming, channel: incoming.accept() }),
        );
        const client = await display.dial();
        const { incoming, channel } = await came;
        t.equal(incoming.type, 'x11');
        t.equal(channel.type, 'x11');
        t.strictSame(incoming.originator, { address: '127.0.0.1', port: client.localPort });
        const closed = closeOf(channel);
        channel.write('welcome ');
        client.end('hello');
        t.equal(await textOf(channel), 'hello');
        channel.end('client');
        t.equal(await textOf(client), 'welcome client');
        t.equal(await closed, undefined);
        await display.end();
      },
    },
    {
      name: 'x11: nobody takes it, refused, thrown: the client sees the end, and the next may be taken',
      needs: ['exec', 'x11'],
      run: async (t, { server }) => {
        await using connection = await (await server()).connect();
        const display = await openDisplay(connection);
        await endOf(await display.dial());
        const deciding: ((incoming: IncomingChannel) => unknown)[] = [
          (incoming) => incoming.refuse('no'),
          () => {
            throw new Error('what is this');
          },
          () => undefined,
          (incoming) => incoming.accept().end('welcome'),
        ];
        using _handling = connection.onIncomingChannel('x11', (incoming) => void deciding.shift()?.(incoming));
        for (let round = 0; round < 3; round += 1) await endOf(await display.dial());
        t.equal(await textOf(await display.dial()), 'welcome');
        await display.end();
      },
    },
    {
      name: 'x11: single-connection is one and no more; a session without x11 has no DISPLAY',
      needs: ['exec', 'x11'],
      run: async (t, { server }) => {
        await using connection = await (await server()).connect();
        const command = 'printf %s "${DISPLAY-unset}"';
        t.equal((await collect(await connection.openSession({ kind: 'exec', command }))).stdout, 'unset');
        const display = await openDisplay(connection, { ...x11, singleConnection: true });
        let taken = 0;
        using _handling = connection.onIncomingChannel('x11', (incoming) => {
          taken += 1;
          incoming.accept().end('only one');
        });
        const first = await display.dial();
        t.equal(await textOf(first), 'only one');
        await display.dial().then(endOf, () => undefined);
        t.equal(taken, 1);
        await display.end();
      },
    },
    {
      name: 'x11: the server dies: the channel fails with CONNECTION_LOST',
      needs: ['exec', 'x11'],
      run: async (t, { serve }) => {
        const server = await serve();
        await using connection = await server.connect();
        const display = await openDisplay(connection);
        const { promise: came, resolve } = Promise.withResolvers<Channel>();
        connection.onIncomingChannel('x11', (incoming) => resolve(incoming.accept()));
        const client = await display.dial();
        const channel = await came;
        const closed = closeOf(channel);
        channel.resume();
        await server.cut();
        t.match(await closed, { code: 'CONNECTION_LOST' });
        client.destroy();
      },
    },
  ],
};

function refuse(incoming: IncomingChannel): void {
  incoming.refuse();
}

/** A session with a display, and how the far side's programs, which run on this machine, reach it. */
async function openDisplay(
  connection: Connection,
  request: X11Request = x11,
): Promise<{ dial(): Promise<Socket>; end(): Promise<void> }> {
  const session: SessionChannel = await connection.openSession({
    kind: 'exec',
    command: 'echo "display $DISPLAY"; exec cat',
    x11: request,
  });
  session.stderr.resume();
  const said = await readUntil(session, '\n');
  const number = /^display \S*:(\d+)(\.\d+)?\n/.exec(said)?.[1];
  if (number === undefined) throw new Error(`the session has no display: ${said}`);
  return {
    async dial() {
      const socket = connect({ host: '127.0.0.1', port: 6000 + Number(number), allowHalfOpen: true });
      await once(socket, 'connect');
      return socket.on('error', () => undefined);
    },
    async end() {
      session.resume().end();
      await session.exit;
    },
  };
}
