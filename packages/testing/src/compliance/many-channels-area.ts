import { once } from 'node:events';
import { type AddressInfo, createServer, type Socket } from 'node:net';
import { PassThrough } from 'node:stream';
import { codeOf, collect, textOf } from './collect.ts';
import type { ComplianceArea } from './compliance-case.ts';
import { leftBehind } from './left-behind.ts';

/** Connection: many channels, refused ones, and readers that go away. */
export const manyChannelsArea: ComplianceArea = {
  name: 'many channels',
  cases: [
    {
      name: '200 channels open at once, each with its own bytes',
      needs: ['direct-tcpip'],
      run: async (t, { server }) => {
        await using far = await startEcho();
        await using connection = await (await server()).connect();
        const channels = await Promise.all(Array.from({ length: 200 }, () => connection.openDirectTcpip(far.target)));
        const wanted = channels.map((_, index) => `n${index}`);
        const heard = channels.map(textOf);
        for (const [index, channel] of channels.entries()) channel.end(wanted[index]);
        t.strictSame(await Promise.all(heard), wanted);
      },
    },
    {
      name: '1000 channels opened and closed: as fit as before, nothing is left',
      needs: ['direct-tcpip'],
      run: async (t, bench) => {
        await using far = await startEcho();
        const connection = await (await bench.server()).connect();
        const open = async (index: number): Promise<string> => {
          const channel = await connection.openDirectTcpip(far.target);
          channel.end(`n${index}`);
          return await textOf(channel);
        };
        // An sshd forks once more after the login, and what a transport opened for many at once it may keep.
        for (const count of [1, 50]) await Promise.all(Array.from({ length: count }, (_, index) => open(index)));
        await far.idle();
        const wrong: string[] = [];
        const left = await leftBehind(bench, async () => {
          for (let round = 0; round < 20; round += 1) {
            const answers = Array.from({ length: 50 }, (_, index) => open(index));
            for (const [index, text] of (await Promise.all(answers)).entries())
              if (text !== `n${index}`) wrong.push(`${index}: ${text}`);
          }
          await far.idle();
        });
        t.strictSame(wrong, []);
        t.strictSame(left, []);
        await connection.close();
      },
    },
    {
      name: '100 sessions at once',
      needs: ['exec'],
      run: async (t, { serve }) => {
        await using connection = await (await serve({ maxSessions: 120 })).connect();
        const all = await Promise.all(
          Array.from({ length: 100 }, async (_, index) =>
            collect(await connection.openSession({ kind: 'exec', command: `echo ${index}; exit ${index}` })),
          ),
        );
        t.strictSame(
          all.map(({ stdout, exit }) => [stdout.trim(), exit]),
          all.map((_, index) => [String(index), { kind: 'status', code: index }]),
        );
      },
    },
    {
      name: '50 channels refused, and those between them go through',
      needs: ['direct-tcpip'],
      run: async (t, { server }) => {
        await using far = await startEcho();
        await using connection = await (await server()).connect();
        const gone = await startEcho();
        await gone[Symbol.asyncDispose]();
        const outcomes = await Promise.all(
          Array.from({ length: 100 }, async (_, index) => {
            if (index % 2 === 0) return await codeOf(connection.openDirectTcpip(gone.target));
            const channel = await connection.openDirectTcpip(far.target);
            channel.end('ok');
            return await textOf(channel);
          }),
        );
        t.strictSame(
          outcomes,
          outcomes.map((_, index) => (index % 2 === 0 ? 'CHANNEL_REFUSED' : 'ok')),
        );
      },
    },
    {
      name: 'the local reader is gone while the channel is opened: it closes, and the connection lives on',
      needs: ['exec'],
      run: async (t, bench) => {
        const connection = await (await bench.server()).connect();
        await collect(await connection.openSession({ kind: 'exec', command: 'true' }));
        const stdout = new PassThrough();
        const opening = connection.pipe('exec cat /dev/zero', { stdout });
        stdout.destroy();
        const pipe = await opening;
        await pipe.exit;
        t.ok(pipe.progress.outputClosed);
        t.ok(pipe.channel.destroyed);
        const { exit } = await collect(await connection.openSession({ kind: 'exec', command: 'exit 5' }));
        t.strictSame(exit, { kind: 'status', code: 5 });
        await connection.close();
      },
    },
  ],
};

/** Sends back what it hears. */
async function startEcho(): Promise<
  AsyncDisposable & { readonly target: { host: string; port: number }; idle(): Promise<void> }
> {
  const sockets = new Set<Socket>();
  const server = createServer({ allowHalfOpen: true }, (socket) => {
    sockets.add(socket);
    socket.on('error', () => undefined).once('close', () => sockets.delete(socket));
    socket.pipe(socket);
  });
  await once(server.listen(0, '127.0.0.1'), 'listening');
  return {
    target: { host: '127.0.0.1', port: (server.address() as AddressInfo).port },
    async idle() {
      await Promise.all([...sockets].map(async (socket) => once(socket, 'close')));
    },
    async [Symbol.asyncDispose]() {
      for (const socket of sockets) socket.destroy();
      await new Promise<void>((resolve) => server.close(() => resolve()));
    },
  };
}
