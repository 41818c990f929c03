import { type Connection, isViasshError, type SessionChannel, type SessionRequest } from '@viassh/core';
import { waitUntil } from '../processes/wait-until.ts';
import { codeOf, collect } from './collect.ts';
import type { ComplianceArea } from './compliance-case.ts';

/** Connection: session channels that were opened ahead are in nobody's way. */
export const spareSessionArea: ComplianceArea = {
  name: 'spare sessions',
  cases: [
    ...[1, 2, 3].map(
      (most) =>
        ({
          name: `MaxSessions ${most}: as many can be open at every moment, also right after use`,
          needs: ['exec'],
          run: async (t, { serve }) => {
            await using connection = await (await serve({ maxSessions: most })).connect();
            for (let round = 0; round < 5; round += 1) {
              await say(connection, 'before');
              const open = await Promise.all(
                Array.from({ length: most }, () => openSoon(connection, { kind: 'exec', command: 'cat' })),
              );
              t.equal(await codeOf(connection.openSession({ kind: 'exec', command: 'cat' })), 'CHANNEL_REFUSED');
              for (const [index, session] of open.entries()) session.end(`session ${index}`);
              const heard = await Promise.all(open.map(collect));
              t.strictSame(
                heard.map(({ stdout }) => stdout),
                open.map((_, index) => `session ${index}`),
              );
            }
          },
        }) satisfies ComplianceArea['cases'][number],
    ),
    {
      name: 'env, pty and the command of one session do not show in the next',
      needs: ['exec', 'env'],
      run: async (t, { server }) => {
        await using connection = await (await server()).connect();
        const heard: string[] = [];
        for (const word of ['one', undefined, 'three', undefined]) {
          const command = 'printf %s "${VIASSH_WORD-unset}"; test -t 0 && printf " tty"; exit 0';
          const env: Record<string, string> = word === undefined ? {} : { VIASSH_WORD: word };
          heard.push((await collect(await connection.openSession({ kind: 'exec', command, env }))).stdout);
        }
        t.strictSame(heard, ['one', 'unset', 'three', 'unset']);
      },
    },
    {
      name: 'a drain does not wait for one',
      needs: ['exec'],
      run: async (t, { server }) => {
        const connection = await (await server()).connect();
        await say(connection, 'once');
        await say(connection, 'twice');
        await connection.close({ drainMs: 3_600_000 });
        t.strictSame(await connection.closed, { kind: 'closed' });
      },
    },
    {
      name: 'spareSession false: none but those asked for are opened',
      needs: ['exec'],
      run: async (t, { serve }) => {
        const server = await serve();
        await using connection = await server.connect({ spareSession: false });
        for (const word of ['one', 'two', 'three']) await say(connection, word);
        t.equal(await server.sessionsOpened(), 3);
        await connection.close();
        t.equal(await server.sessionsOpened(), 3);
      },
    },
    {
      name: 'spareSession kept: never more than one is opened ahead',
      needs: ['exec'],
      run: async (t, { serve }) => {
        const server = await serve();
        await using connection = await server.connect({ spareSession: 'kept' });
        for (const used of [1, 2, 3]) {
          t.equal(await say(connection, 'word'), 'word');
          const opened = await server.sessionsOpened();
          t.ok(opened === used || opened === used + 1, `${used} were used, ${opened} opened`);
        }
        await connection.close();
      },
    },
    {
      name: 'no session is opened ahead of the first use: who only forwards has none',
      needs: ['direct-tcpip'],
      run: async (t, { serve }) => {
        const server = await serve();
        await using connection = await server.connect();
        await codeOf(connection.openDirectTcpip({ host: '127.0.0.1', port: 1 }));
        t.equal(await server.sessionsOpened(), 0);
        await connection.close();
        t.equal(await server.sessionsOpened(), 0);
      },
    },
    {
      name: 'a request that is refused leaves the next session sound',
      needs: ['exec', 'subsystem'],
      run: async (t, { serve }) => {
        await using connection = await (await serve({ maxSessions: 1 })).connect();
        for (let round = 0; round < 3; round += 1) {
          t.equal(await codeOf(openSoon(connection, { kind: 'subsystem', subsystem: 'none' })), 'REQUEST_REFUSED');
          t.equal(await say(connection, `round ${round}`), `round ${round}`);
        }
      },
    },
    {
      name: 'the server dies over one: the next session is CONNECTION_LOST',
      needs: ['exec'],
      run: async (t, { serve }) => {
        const server = await serve();
        await using connection = await server.connect();
        await say(connection, 'once');
        await server.cut();
        await connection.closed;
        t.equal(await codeOf(connection.openSession({ kind: 'exec', command: 'true' })), 'CONNECTION_LOST');
      },
    },
  ],
};

/** A command that says a word: what it said. */
async function say(connection: Connection, word: string): Promise<string> {
  return (await collect(await openSoon(connection, { kind: 'exec', command: `printf %s '${word}'` }))).stdout;
}

/**
 * A session as soon as the server has a place for it. An sshd counts one that was closed until it has gone through its
 * channels once, and may refuse the next that comes with the CLOSE; a place that is never given back is found all the same.
 */
async function openSoon(connection: Connection, request: SessionRequest): Promise<SessionChannel> {
  return await waitUntil('the server to have a place', async () => {
    try {
      return await connection.openSession(request);
    } catch (error) {
      if (isViasshError(error, 'CHANNEL_REFUSED')) return undefined;
      throw error;
    }
  });
}
