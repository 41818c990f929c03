import { createHash, randomBytes } from 'node:crypto';
import { Readable } from 'node:stream';
import { pipeline } from 'node:stream/promises';
import { type Connection, nobodyToAsk, silentLogger, verifyByKnownHosts } from '@viassh/core';
import type { Test } from 'tap';
import { codeOf, collect, digestOf } from './collect.ts';
import type { ComplianceArea, ComplianceCase } from './compliance-case.ts';

const MEBIBYTE = 1024 * 1024;

/** Transport: proxies before the first hop, new keys on the way, compression. */
export const wireArea: ComplianceArea = {
  name: 'proxies, rekeying, compression',
  cases: [
    ...(['socks5', 'http'] as const).flatMap((protocol): ComplianceCase[] => [
      ...[false, true].map(
        (login): ComplianceCase => ({
          name: `${protocol} proxy${login ? ' that wants a login' : ''}: asked for the first hop, and it goes through`,
          wire: true,
          needs: ['exec'],
          run: async (t, { serve }) => {
            const server = await serve({ proxy: { protocol, login } });
            await using connection = await server.connect();
            const { stdout } = await collect(await connection.openSession({ kind: 'exec', command: 'echo through' }));
            t.equal(stdout, 'through\n');
            const [hop] = server.route.hops;
            t.strictSame([...server.dialledByProxy], [`${hop.hostName}:${hop.port}`]);
          },
        }),
      ),
      {
        name: `${protocol} proxy before a jump host: it dials that one, and no other`,
        wire: true,
        needs: ['exec'],
        run: async (t, { serve }) => {
          const server = await serve({ proxy: { protocol }, hops: 2 });
          await using connection = await server.connect();
          const { exit } = await collect(await connection.openSession({ kind: 'exec', command: 'exit 4' }));
          t.strictSame(exit, { kind: 'status', code: 4 });
          const [jump] = server.route.hops;
          t.strictSame([...server.dialledByProxy], [`${jump.hostName}:${jump.port}`]);
        },
      },
      {
        name: `${protocol} proxy: nobody listens behind it, or a wrong login: an error, never a way around it`,
        wire: true,
        run: async (t, { serve, harness }) => {
          const server = await serve({ proxy: { protocol, login: true } });
          const { route } = server;
          const wrong = { ...route, proxy: route.proxy && { ...route.proxy, password: 'open barley' } };
          const connecting = harness.transport.connect(wrong, {
            verifyHostKey: verifyByKnownHosts,
            authenticate: nobodyToAsk,
            log: silentLogger,
          });
          t.equal(await codeOf(connecting), 'AUTH_FAILED');
          await server.cut();
          t.equal(await codeOf(server.connect()), 'PROXY_FAILED');
        },
      },
    ]),
    {
      name: 'RekeyLimit 1M: 8 MiB each way go through the new keys unharmed',
      needs: ['exec'],
      run: async (t, { serve }) => {
        await using connection = await (await serve({ rekeyLimit: '1M' })).connect();
        await roundTrip(t, connection);
      },
    },
    {
      name: 'compression on and off: 8 MiB each way, and info says which it is',
      needs: ['exec'],
      run: async (t, { serve }) => {
        for (const compression of [true, false]) {
          await using connection = await (await serve({ compression })).connect();
          await roundTrip(t, connection);
          const wanted = compression ? 'zlib@openssh.com' : 'none';
          t.equal(connection.info.compression ?? wanted, wanted);
        }
      },
    },
  ],
};

/** Random bytes through cat, half of them zeros so that there is something to compress. */
async function roundTrip(t: Test, connection: Connection): Promise<void> {
  const piece = Buffer.concat([randomBytes(MEBIBYTE / 2), Buffer.alloc(MEBIBYTE / 2)]);
  const hash = createHash('sha256');
  for (let index = 0; index < 8; index += 1) hash.update(piece);
  const channel = await connection.openSession({ kind: 'exec', command: 'cat' });
  channel.stderr.resume();
  const back = digestOf(channel);
  await pipeline(Readable.from(Array.from({ length: 8 }, () => piece)), channel, { end: true });
  t.strictSame(await back, { bytes: 8 * MEBIBYTE, sha256: hash.digest('hex') });
  t.strictSame(await channel.exit, { kind: 'status', code: 0 });
}
