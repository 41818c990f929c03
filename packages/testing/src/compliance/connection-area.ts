import { PassThrough, Readable } from 'node:stream';
import type { ComplianceArea } from './compliance-case.ts';
import { codeOf, codesOfOpening, collect } from './collect.ts';

/** Connection: what is known of it, many channels, opening and refusing. */
export const connectionArea: ComplianceArea = {
  name: 'connection',
  cases: [
    {
      name: 'info tells peer, host key and how we logged in',
      run: async (t, { connection, server, harness }) => {
        const { info, transport, capabilities } = await connection();
        const { route, hostKeyFingerprint } = await server();
        const hop = route.hops.at(-1);
        t.equal(info.peer, `${hop?.user}@${hop?.hostName}:${hop?.port}`);
        t.equal(info.hostKey ?? `ssh-ed25519 ${hostKeyFingerprint}`, `ssh-ed25519 ${hostKeyFingerprint}`);
        t.match(info.serverVersion ?? 'SSH-2.0-', /^SSH-2\.0-/);
        t.equal(info.authenticatedBy ?? 'publickey', 'publickey');
        t.equal(transport, harness.transport.name);
        t.strictSame(
          [...capabilities].filter((capability) => !harness.transport.capabilities.has(capability)),
          [],
        );
      },
    },
    {
      name: 'several channels at once do not mix',
      run: async (t, { connection }) => {
        const shared = await connection();
        const words = Array.from({ length: 8 }, (_, index) => `word${index}`);
        const channels = await Promise.all(
          words.map((word) => shared.openSession({ kind: 'exec', command: `printf '${word} '; cat` })),
        );
        for (const [index, channel] of channels.entries()) channel.write(`first ${index} `);
        for (const [index, channel] of channels.toReversed().entries()) channel.end(`last ${7 - index}`);
        const all = await Promise.all(channels.map(collect));
        t.strictSame(
          all.map(({ stdout }) => stdout),
          words.map((word, index) => `${word} first ${index} last ${index}`),
        );
      },
    },
    {
      name: 'a channel that nobody reads does not hold up another',
      run: async (t, { connection }) => {
        const shared = await connection();
        const unread = await shared.openSession({ kind: 'exec', command: 'exec cat /dev/zero' });
        const { stdout } = await collect(
          await shared.openSession({ kind: 'exec', command: 'head -c 4000000 /dev/zero | wc -c' }),
        );
        t.equal(stdout.trim(), '4000000');
        unread.destroy();
      },
    },
    {
      name: 'a session channel too many: CHANNEL_REFUSED, and the others live on',
      run: async (t, { serve }) => {
        await using connection = await (await serve({ maxSessions: 2 })).connect();
        const first = await connection.openSession({ kind: 'exec', command: 'cat' });
        const second = await connection.openSession({ kind: 'exec', command: 'cat' });
        t.equal(await codeOf(connection.openSession({ kind: 'exec', command: 'cat' })), 'CHANNEL_REFUSED');
        first.end('still there');
        t.equal((await collect(first)).stdout, 'still there');
        second.end();
        await collect(second);
      },
    },
    {
      name: 'an abort before opening: ABORTED, and the connection lives on',
      run: async (t, { connection }) => {
        const shared = await connection();
        t.strictSame(await codesOfOpening(shared, AbortSignal.abort()), ['ABORTED']);
        t.strictSame((await collect(await shared.openSession({ kind: 'exec', command: 'true' }))).exit, {
          kind: 'status',
          code: 0,
        });
      },
    },
    {
      name: 'an abort while opening: ABORTED, and the connection lives on',
      run: async (t, { connection }) => {
        const shared = await connection();
        const controller = new AbortController();
        const opening = codeOf(shared.openSession({ kind: 'exec', command: 'cat', signal: controller.signal }));
        controller.abort();
        t.equal(await opening, 'ABORTED');
        t.strictSame((await collect(await shared.openSession({ kind: 'exec', command: 'true' }))).exit, {
          kind: 'status',
          code: 0,
        });
      },
    },
    {
      name: 'pipe joins both ends and gives the exit; an abort ends it with ABORTED',
      run: async (t, { connection }) => {
        const shared = await connection();
        const stdout = new PassThrough();
        const upper = await shared.pipe('tr a-z A-Z; exit 6', { stdin: Readable.from(['viassh']), stdout });
        t.strictSame(await upper.exit, { kind: 'status', code: 6 });
        t.equal(String(stdout.read()), 'VIASSH');
        const controller = new AbortController();
        const endless = await shared.pipe('exec cat', { stdout: new PassThrough(), signal: controller.signal });
        controller.abort();
        t.equal(await codeOf(endless.exit), 'ABORTED');
      },
    },
    {
      name: '200 commands one after the other',
      run: async (t, { connection }) => {
        const shared = await connection();
        const wrong: unknown[] = [];
        for (let round = 0; round < 200; round += 1) {
          const { exit } = await collect(await shared.openSession({ kind: 'exec', command: 'exit 1' }));
          if (exit.kind !== 'status' || exit.code !== 1) wrong.push({ round, exit });
        }
        t.strictSame(wrong, []);
      },
    },
  ],
};
