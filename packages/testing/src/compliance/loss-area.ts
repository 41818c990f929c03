import { once } from 'node:events';
import { PassThrough } from 'node:stream';
import type { ComplianceArea } from './compliance-case.ts';
import { closeOf, codeOf, codesOfOpening, readUntil } from './collect.ts';

/** Connection: the server dies. */
export const lossArea: ComplianceArea = {
  name: 'connection lost',
  cases: [
    {
      name: 'the server dies: closed tells it, once',
      run: async (t, { serve }) => {
        const server = await serve();
        await using connection = await server.connect();
        await server.cut();
        const reason = await connection.closed;
        t.match(reason, { kind: 'lost', error: { code: 'CONNECTION_LOST' } });
        await connection.close();
        t.equal(await connection.closed, reason);
      },
    },
    {
      name: 'the server dies in the middle of a stream: the channel and its exit fail with CONNECTION_LOST',
      run: async (t, { serve }) => {
        const server = await serve();
        await using connection = await server.connect();
        const channel = await connection.openSession({ kind: 'exec', command: 'echo up; exec cat /dev/zero' });
        channel.stderr.resume();
        await readUntil(channel, 'up\n');
        const [closed, exit] = [closeOf(channel), codeOf(channel.exit)];
        channel.resume();
        await server.cut();
        t.match(await closed, { code: 'CONNECTION_LOST' });
        t.equal(await exit, 'CONNECTION_LOST');
      },
    },
    {
      name: 'the server dies under channels that are idle: none hangs',
      run: async (t, { serve }) => {
        const server = await serve();
        await using connection = await server.connect();
        const channels = await Promise.all(
          [1, 2, 3].map(() => connection.openSession({ kind: 'exec', command: 'cat' })),
        );
        const exits = channels.map((channel) => codeOf(channel.exit));
        const closes = channels.map(closeOf);
        await server.cut();
        t.match(await Promise.all(closes), [
          { code: 'CONNECTION_LOST' },
          { code: 'CONNECTION_LOST' },
          { code: 'CONNECTION_LOST' },
        ]);
        t.strictSame(await Promise.all(exits), ['CONNECTION_LOST', 'CONNECTION_LOST', 'CONNECTION_LOST']);
      },
    },
    {
      name: 'the server dies under a pipe: its exit rejects with CONNECTION_LOST',
      run: async (t, { serve }) => {
        const server = await serve();
        await using connection = await server.connect();
        const stdout = new PassThrough();
        const pipe = await connection.pipe('echo up; exec cat', { stdin: new PassThrough(), stdout });
        await readUntil(stdout, 'up\n');
        await server.cut();
        t.equal(await codeOf(pipe.exit), 'CONNECTION_LOST');
      },
    },
    {
      name: 'the server dies under a pipe whose stdout nobody joined: its exit rejects with CONNECTION_LOST',
      run: async (t, { serve }) => {
        const server = await serve();
        await using connection = await server.connect();
        const pipe = await connection.pipe('echo up; echo unread; exec cat');
        await once(pipe.channel, 'readable');
        await server.cut();
        t.equal(await codeOf(pipe.exit), 'CONNECTION_LOST');
        pipe.channel.destroy();
      },
    },
    {
      name: 'opening afterwards: CONNECTION_LOST',
      run: async (t, { serve }) => {
        const server = await serve();
        await using connection = await server.connect();
        await server.cut();
        await connection.closed;
        t.strictSame(await codesOfOpening(connection), ['CONNECTION_LOST']);
      },
    },
    {
      name: 'the server dies while a channel is being opened: it settles',
      run: async (t, { serve }) => {
        const server = await serve();
        await using connection = await server.connect();
        const opening = connection.openSession({ kind: 'exec', command: 'cat' });
        const outcome = codeOf(opening.then((channel) => channel.exit));
        await server.cut();
        t.equal(await outcome, 'CONNECTION_LOST');
      },
    },
  ],
};
