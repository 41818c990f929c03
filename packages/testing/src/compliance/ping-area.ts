import { codeOf, collect } from './collect.ts';
import type { ComplianceArea } from './compliance-case.ts';

/** Connection: the round trip. */
export const pingArea: ComplianceArea = {
  name: 'ping',
  cases: [
    {
      name: 'a connection that lives: a number of milliseconds, before any session and after some',
      needs: ['exec'],
      run: async (t, { server }) => {
        await using connection = await (await server()).connect();
        isRoundTrip(t, await connection.ping());
        await collect(await connection.openSession({ kind: 'exec', command: 'true' }));
        isRoundTrip(t, await connection.ping());
        isRoundTrip(t, await connection.ping());
      },
    },
    {
      name: 'several at once, beside commands: all come back',
      needs: ['exec'],
      run: async (t, { connection }) => {
        const shared = await connection();
        const commands = [1, 2, 3].map(async () =>
          collect(await shared.openSession({ kind: 'exec', command: 'echo x' })),
        );
        const trips = await Promise.all(Array.from({ length: 10 }, () => shared.ping()));
        for (const trip of trips) isRoundTrip(t, trip);
        for (const { stdout } of await Promise.all(commands)) t.equal(stdout, 'x\n');
      },
    },
    {
      name: 'many one after the other leave nothing open: as many sessions as before may be opened',
      needs: ['exec'],
      run: async (t, { serve }) => {
        await using connection = await (await serve({ maxSessions: 2 })).connect();
        for (let round = 0; round < 20; round += 1) isRoundTrip(t, await connection.ping());
        const both = await Promise.all(
          [1, 2].map(async () => collect(await connection.openSession({ kind: 'exec', command: 'echo x' }))),
        );
        t.strictSame(
          both.map(({ stdout }) => stdout),
          ['x\n', 'x\n'],
        );
      },
    },
    {
      name: 'a server that allows no session: a number or unknown, never a hang or an end',
      run: async (t, { serve }) => {
        await using connection = await (await serve({ maxSessions: 0 })).connect();
        for (const trip of await Promise.all([connection.ping(), connection.ping()]))
          if (trip !== undefined) isRoundTrip(t, trip);
        t.equal(connection.info.state, 'up');
      },
    },
    {
      name: 'all sessions in use: a number or unknown, and they go on',
      needs: ['exec'],
      run: async (t, { serve }) => {
        await using connection = await (await serve({ maxSessions: 1 })).connect();
        const session = await connection.openSession({ kind: 'exec', command: 'cat' });
        const trip = await connection.ping();
        if (trip !== undefined) isRoundTrip(t, trip);
        session.end('still here');
        t.equal((await collect(session)).stdout, 'still here');
      },
    },
    {
      name: 'after close: CONNECTION_CLOSED; the server died: CONNECTION_LOST',
      run: async (t, { serve }) => {
        const server = await serve();
        const [closed, lost] = [await server.connect(), await server.connect()];
        await closed.close();
        t.equal(await codeOf(closed.ping()), 'CONNECTION_CLOSED');
        t.equal(closed.info.state, 'ended');
        await server.cut();
        await lost.closed;
        t.equal(await codeOf(lost.ping()), 'CONNECTION_LOST');
        t.equal(lost.info.state, 'ended');
        await lost.close();
      },
    },
    {
      name: 'the server dies meanwhile: CONNECTION_LOST, or the answer that had come; never a hang',
      run: async (t, { serve }) => {
        const server = await serve();
        await using connection = await server.connect();
        await connection.ping();
        const outcome = codeOf(connection.ping());
        await server.cut();
        t.match(await outcome, /^(CONNECTION_LOST|no error at all)$/);
        t.equal(await codeOf(connection.closed.then(() => connection.ping())), 'CONNECTION_LOST');
      },
    },
    {
      name: 'an abort before and meanwhile: ABORTED, and the connection lives on',
      run: async (t, { connection }) => {
        const shared = await connection();
        t.equal(await codeOf(shared.ping({ signal: AbortSignal.abort() })), 'ABORTED');
        const controller = new AbortController();
        const outcome = codeOf(shared.ping({ signal: controller.signal }));
        controller.abort();
        t.equal(await outcome, 'ABORTED');
        isRoundTrip(t, await shared.ping());
      },
    },
  ],
};

function isRoundTrip(t: { ok(value: unknown, message: string): unknown }, trip: number | undefined): void {
  t.ok(trip !== undefined && Number.isFinite(trip) && trip >= 0, `round trip: ${trip} ms`);
}
