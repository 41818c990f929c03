import { fingerprint, type HostKey, type ResolvedDestination } from '@viassh/core';
import { codeOf, collect, failureOf } from './collect.ts';
import type { ComplianceArea } from './compliance-case.ts';
import { leftBehind } from './left-behind.ts';

/** Transport: routes of two hops. */
export const hopsArea: ComplianceArea = {
  name: 'jump hosts',
  cases: [
    {
      name: 'info lists every hop with its own user, address and host key; all are up, and ended after close',
      needs: ['exec'],
      run: async (t, { serve }) => {
        const server = await serve({ hops: 2 });
        const connection = await server.connect();
        const { stdout } = await collect(await connection.openSession({ kind: 'exec', command: 'echo there' }));
        t.equal(stdout, 'there\n');
        const { info } = connection;
        t.strictSame(
          info.hops.map(({ peer }) => peer),
          server.route.hops.map(({ user, hostName, port }) => `${user}@${hostName}:${port}`),
        );
        t.strictSame(
          info.hops.map(({ hostKey }) => hostKey),
          [server.jumpHosts[0]?.hostKeyFingerprint, server.hostKeyFingerprint].map((shown) => `ssh-ed25519 ${shown}`),
        );
        t.not(server.route.hops[0]?.user, server.route.hops[1]?.user);
        t.equal(info.peer, info.hops[1]?.peer);
        t.equal(info.hostKey, info.hops[1]?.hostKey);
        t.strictSame(
          info.hops.map(({ state }) => state),
          ['up', 'up'],
        );
        await connection.close();
        t.strictSame(
          info.hops.map(({ state }) => state),
          ['ended', 'ended'],
        );
      },
    },
    {
      name: 'a route of one hop lists that one',
      run: async (t, { connection }) => {
        const { info } = await connection();
        t.equal(info.hops.length, 1);
        t.match(info.hops[0], { peer: info.peer, hostKey: info.hostKey, state: 'up' });
      },
    },
    ...(
      [
        ['empty', 'HOST_KEY_UNKNOWN'],
        ['changed', 'HOST_KEY_CHANGED'],
      ] as const
    ).map(
      ([jumpKnownHosts, code]) =>
        ({
          name: `never that the jump host's key goes unchecked: ${code} names that hop`,
          run: async (t, { serve }) => {
            const server = await serve({ hops: 2, jumpKnownHosts });
            const error = await failureOf(server.connect());
            t.equal(error.code, code);
            const [jump, last] = server.route.hops.map(({ hostKeyAlias, hostName }) => hostKeyAlias ?? hostName);
            t.ok(error.message.includes(jump ?? ''), error.message);
            t.notOk(error.message.includes(last ?? ''), error.message);
            t.ok(error.message.includes(server.jumpHosts[0]?.hostKeyFingerprint ?? ''), error.message);
          },
        }) satisfies ComplianceArea['cases'][number],
    ),
    {
      name: "never that a good jump host vouches for the server: the last hop's changed key is HOST_KEY_CHANGED",
      run: async (t, { serve }) => {
        const server = await serve({ hops: 2, knownHosts: 'changed' });
        const error = await failureOf(server.connect());
        t.equal(error.code, 'HOST_KEY_CHANGED');
        t.ok(error.message.includes(server.hostKeyFingerprint), error.message);
      },
    },
    {
      name: 'each hop logs in by its own key: a key that opens the first alone is AUTH_FAILED at the second',
      run: async (t, { serve }) => {
        const server = await serve({ hops: 2, login: 'wrong-key' });
        const error = await failureOf(server.connect());
        t.equal(error.code, 'AUTH_FAILED');
        t.ok(error.message.includes(server.route.hops[1]?.user ?? ''), error.message);
      },
    },
    {
      name: 'a custom verifier is asked for each hop, in order',
      needs: ['custom-host-key-verifier'],
      run: async (t, { serve }) => {
        const server = await serve({ hops: 2, knownHosts: 'empty', jumpKnownHosts: 'empty' });
        const seen: string[] = [];
        const verify = async (key: HostKey, hop: ResolvedDestination): Promise<{ accepted: true }> => {
          const one = `${hop.user} ${fingerprint(key.blob)}`;
          if (!seen.includes(one)) seen.push(one);
          return { accepted: true };
        };
        await using _connection = await server.connect({ verifyHostKey: { kind: 'custom', verify } });
        const [first, second] = server.route.hops;
        t.strictSame(seen, [
          `${first?.user} ${server.jumpHosts[0]?.hostKeyFingerprint}`,
          `${second?.user} ${server.hostKeyFingerprint}`,
        ]);
      },
    },
    {
      name: "a custom verifier's no at either hop is HOST_KEY_REFUSED",
      needs: ['custom-host-key-verifier'],
      run: async (t, { serve }) => {
        const server = await serve({ hops: 2 });
        for (const refused of server.route.hops) {
          const verify = async (_key: HostKey, hop: ResolvedDestination) =>
            hop.user === refused.user ? { accepted: false as const, reason: 'not today' } : { accepted: true as const };
          t.equal(await codeOf(server.connect({ verifyHostKey: { kind: 'custom', verify } })), 'HOST_KEY_REFUSED');
        }
      },
    },
    {
      name: 'the jump host dies: CONNECTION_LOST',
      needs: ['exec'],
      run: async (t, { serve }) => {
        const server = await serve({ hops: 2 });
        await using connection = await server.connect();
        const session = await connection.openSession({ kind: 'exec', command: 'cat' });
        const exit = codeOf(session.exit);
        await server.jumpHosts[0]?.cut();
        t.match(await connection.closed, { kind: 'lost', error: { code: 'CONNECTION_LOST' } });
        t.equal(await exit, 'CONNECTION_LOST');
        t.equal(connection.info.state, 'ended');
        t.equal(await codeOf(connection.openSession({ kind: 'exec', command: 'true' })), 'CONNECTION_LOST');
      },
    },
    {
      name: 'the jump host is not there: an error of reaching it; the server is not there: an error of reaching that',
      run: async (t, { serve }) => {
        const [first, second] = [await serve({ hops: 2 }), await serve({ hops: 2 })];
        await first.jumpHosts[0]?.cut();
        t.match(await codeOf(first.connect()), /^(CONNECTION_REFUSED|PROXY_FAILED)$/);
        await second.cut();
        t.match(await codeOf(second.connect()), /^(CONNECTION_REFUSED|PROXY_FAILED)$/);
      },
    },
    {
      name: 'an abort: ABORTED; nothing is left after that, after a failure, after close',
      needs: ['exec'],
      run: async (t, bench) => {
        const [good, bad] = [await bench.serve({ hops: 2 }), await bench.serve({ hops: 2, login: 'wrong-key' })];
        await (await good.connect()).close();
        const left = await leftBehind(bench, async () => {
          const controller = new AbortController();
          const connecting = codeOf(good.connect({ signal: controller.signal }));
          controller.abort();
          t.equal(await connecting, 'ABORTED');
          t.equal(await codeOf(bad.connect()), 'AUTH_FAILED');
          const connection = await good.connect();
          await collect(await connection.openSession({ kind: 'exec', command: 'true' }));
          await connection.close();
        });
        t.strictSame(left, []);
      },
    },
  ],
};
