import type { ComplianceArea } from './compliance-case.ts';
import { closeOf, codeOf, codesOfOpening, collect, readUntil } from './collect.ts';
import { leftBehind } from './left-behind.ts';

/** Connection: closing, and what is left. */
export const shutdownArea: ComplianceArea = {
  name: 'shutdown',
  cases: [
    {
      name: 'close may be called again and at the same time; closed tells `closed`',
      run: async (t, { server }) => {
        const connection = await (await server()).connect();
        await Promise.all([connection.close(), connection.close()]);
        await connection.close();
        await connection[Symbol.asyncDispose]();
        t.strictSame(await connection.closed, { kind: 'closed' });
      },
    },
    {
      name: 'opening after close: CONNECTION_CLOSED',
      run: async (t, { server }) => {
        const connection = await (await server()).connect();
        const closing = connection.close();
        t.equal(await codeOf(connection.openSession({ kind: 'exec', command: 'true' })), 'CONNECTION_CLOSED');
        await closing;
        t.strictSame(await codesOfOpening(connection), ['CONNECTION_CLOSED']);
      },
    },
    {
      name: 'close with open channels closes them, without error',
      run: async (t, { server }) => {
        const connection = await (await server()).connect();
        const channel = await connection.openSession({ kind: 'exec', command: 'echo up; exec cat' });
        await readUntil(channel, 'up\n');
        const closed = closeOf(channel);
        await connection.close();
        t.equal(await closed, undefined);
        t.match(await channel.exit, { kind: /^(missing|signal|status)$/ });
      },
    },
    {
      name: 'close with drainMs lets a running command finish',
      run: async (t, { server }) => {
        const connection = await (await server()).connect();
        const channel = await connection.openSession({ kind: 'exec', command: 'cat; exit 6' });
        const collected = collect(channel);
        const closing = connection.close({ drainMs: 10_000 });
        t.equal(
          await codeOf(connection.openSession({ kind: 'exec', command: 'true' })),
          'CONNECTION_CLOSED',
          'nothing new meanwhile',
        );
        channel.end('to the end');
        t.match(await collected, { stdout: 'to the end', exit: { kind: 'status', code: 6 } });
        await closing;
        t.strictSame(await connection.closed, { kind: 'closed' });
      },
    },
    {
      name: 'close with drainMs does not wait longer than that',
      run: async (t, { server }) => {
        const connection = await (await server()).connect();
        const channel = await connection.openSession({ kind: 'exec', command: 'echo up; exec cat' });
        await readUntil(channel, 'up\n');
        const closed = closeOf(channel);
        await connection.close({ drainMs: 50 });
        t.equal(await closed, undefined);
      },
    },
    {
      name: 'await using closes',
      run: async (t, { server }) => {
        const closed = await (async () => {
          await using connection = await (await server()).connect();
          return { reason: connection.closed };
        })();
        t.strictSame(await closed.reason, { kind: 'closed' });
      },
    },
    {
      name: 'nothing is left after close: descriptors, processes, private folders',
      run: async (t, bench) => {
        const { connect } = await bench.server();
        await (await connect()).close(); // what is loaded and opened once for all may stay
        const left = await leftBehind(bench, async () => {
          const connection = await connect();
          for (let round = 0; round < 20; round += 1)
            await collect(await connection.openSession({ kind: 'exec', command: 'echo x; echo y >&2' }));
          const open = await connection.openSession({ kind: 'exec', command: 'cat' });
          open.stderr.resume();
          await connection.close();
        });
        t.strictSame(left, []);
      },
    },
    {
      name: 'nothing is left of a connect that failed or was aborted',
      run: async (t, bench) => {
        const server = await bench.serve({ login: 'wrong-key' });
        await codeOf(server.connect());
        const left = await leftBehind(bench, async () => {
          await codeOf(server.connect());
          const controller = new AbortController();
          const connecting = codeOf(server.connect({ signal: controller.signal }));
          controller.abort();
          await connecting;
        });
        t.strictSame(left, []);
      },
    },
    {
      name: 'nothing is left after the server died',
      run: async (t, bench) => {
        const server = await bench.serve();
        await (await server.connect()).close();
        const left = await leftBehind(bench, async () => {
          const connection = await server.connect();
          const channel = await connection.openSession({ kind: 'exec', command: 'cat' });
          const closed = closeOf(channel);
          await server.cut();
          await closed;
          await connection.close();
        });
        t.strictSame(left, []);
      },
    },
  ],
};
