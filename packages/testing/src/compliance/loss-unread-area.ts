import { once } from 'node:events';
import type { Connection, SessionChannel } from '@viassh/core';
import { closeOf, codeOf, digestOf, readUntil } from './collect.ts';
import type { ComplianceArea, ComplianceBench } from './compliance-case.ts';

/** Channel: the server dies while bytes that came from it wait for their reader. */
export const lossUnreadArea: ComplianceArea = {
  name: 'connection lost with bytes unread',
  cases: [
    {
      name: 'they are still read, then comes CONNECTION_LOST; exit rejects without waiting for that',
      run: async (t, { serve }) => {
        await using lost = await loseUnread(serve, 'echo arrived; exec cat');
        const { channel } = lost;
        t.equal(await codeOf(channel.exit), 'CONNECTION_LOST');
        t.equal(channel.errored, null);
        const closed = closeOf(channel);
        t.equal(await readUntil(channel, 'arrived\n'), 'arrived\n');
        t.match(await closed, { code: 'CONNECTION_LOST' });
      },
    },
    {
      name: 'for await gets them all before it throws CONNECTION_LOST',
      run: async (t, { serve }) => {
        await using lost = await loseUnread(serve, 'echo arrived; exec cat');
        const chunks: Buffer[] = [];
        const reading = (async () => {
          for await (const chunk of lost.channel as AsyncIterable<Buffer>) chunks.push(chunk);
        })();
        t.equal(await codeOf(reading), 'CONNECTION_LOST');
        t.equal(Buffer.concat(chunks).toString(), 'arrived\n');
      },
    },
    {
      name: 'much of a window is not lost',
      run: async (t, { serve }) => {
        // stderr may overtake what a server has not yet taken out of the pipe of stdout, and no more than that
        await using lost = await loseUnread(
          serve,
          'head -c 1000000 /dev/zero; echo up >&2; exec cat',
          async (channel) => readUntil(channel.stderr, 'up\n'),
        );
        let bytes = 0;
        lost.channel.on('data', (chunk: Buffer) => (bytes += chunk.length));
        t.match(await closeOf(lost.channel), { code: 'CONNECTION_LOST' });
        t.ok(bytes >= 500_000, `${bytes} bytes`);
      },
    },
    {
      name: 'stderr is still read too',
      run: async (t, { serve }) => {
        await using lost = await loseUnread(serve, 'echo arrived >&2; exec cat', async ({ stderr }) =>
          once(stderr, 'readable'),
        );
        t.equal(await readUntil(lost.channel.stderr, 'arrived\n'), 'arrived\n');
      },
    },
    {
      name: 'a far end that had said EOF: bytes, end, CONNECTION_LOST',
      run: async (t, { serve }) => {
        await using lost = await loseUnread(serve, 'echo last; exec cat >/dev/null 2>&1', async (channel) => {
          channel.stderr.resume();
          await Promise.all([once(channel.stderr, 'end'), once(channel, 'readable')]);
        });
        const closed = closeOf(lost.channel);
        t.match(await digestOf(lost.channel), { bytes: 5 });
        t.match(await closed, { code: 'CONNECTION_LOST' });
      },
    },
    {
      name: 'writing does not block or fail any more',
      run: async (t, { serve }) => {
        await using lost = await loseUnread(serve, 'echo arrived; exec cat');
        for (const length of [1, 16_000_000])
          await new Promise<void>((resolve) => lost.channel.write(Buffer.alloc(length), () => resolve()));
        t.equal(lost.channel.errored, null);
      },
    },
    {
      name: 'destroyed by a caller who does not want them: the error is CONNECTION_LOST all the same',
      run: async (t, { serve }) => {
        await using lost = await loseUnread(serve, 'echo arrived; exec cat');
        const closed = closeOf(lost.channel);
        lost.channel.destroy();
        t.match(await closed, { code: 'CONNECTION_LOST' });
        t.equal(await codeOf(lost.channel.exit), 'CONNECTION_LOST');
      },
    },
  ],
};

/** A session whose server died; what `arrived` waits for came before. Default: something to read on stdout. */
async function loseUnread(
  serve: ComplianceBench['serve'],
  command: string,
  arrived: (channel: SessionChannel) => Promise<unknown> = (channel) => once(channel, 'readable'),
): Promise<AsyncDisposable & { readonly connection: Connection; readonly channel: SessionChannel }> {
  const server = await serve();
  const connection = await server.connect();
  const channel = await connection.openSession({ kind: 'exec', command });
  channel.on('error', () => undefined);
  await arrived(channel);
  await server.cut();
  await connection.closed;
  return { connection, channel, [Symbol.asyncDispose]: () => connection.close() };
}
