import { PassThrough } from 'node:stream';
import { ViasshError } from '@viassh/core';
import { closeOf, codeOf } from './collect.ts';
import type { ComplianceArea } from './compliance-case.ts';
import { sleeperBehind, sleeperCommand } from './sleeper.ts';

/** Channel: ended by us while the remote command goes on. A server closes its side only when the command has gone. */
export const destroyArea: ComplianceArea = {
  name: 'destroy and abort',
  cases: [
    {
      name: 'destroy does not wait for the remote command: exit settles and close comes',
      run: async (t, { connection }) => {
        const channel = await (await connection()).openSession({ kind: 'exec', command: sleeperCommand });
        await using _sleeper = await sleeperBehind(channel);
        const closed = closeOf(channel);
        channel.destroy();
        t.strictSame(await channel.exit, { kind: 'missing' });
        t.equal(await closed, undefined);
      },
    },
    {
      name: 'destroy with an error: exit and channel fail with that error',
      run: async (t, { connection }) => {
        const channel = await (await connection()).openSession({ kind: 'exec', command: sleeperCommand });
        await using _sleeper = await sleeperBehind(channel);
        const closed = closeOf(channel);
        const error = new ViasshError('STREAM_FAILED', 'no room for it');
        channel.destroy(error);
        t.equal(await channel.exit.catch((reason: unknown) => reason), error);
        t.equal(await closed, error);
      },
    },
    {
      name: 'destroy while a write waits for the window: nothing hangs',
      run: async (t, { connection }) => {
        const channel = await (await connection()).openSession({ kind: 'exec', command: sleeperCommand });
        await using _sleeper = await sleeperBehind(channel);
        const written = new Promise<void>((resolve) => channel.write(Buffer.alloc(16_000_000), () => resolve()));
        const closed = closeOf(channel);
        channel.destroy();
        t.equal(await closed, undefined);
        await written;
        t.strictSame(await channel.exit, { kind: 'missing' });
      },
    },
    {
      name: 'abort of a running pipe: exit rejects, though the remote command goes on',
      run: async (t, { connection }) => {
        const controller = new AbortController();
        const stdout = new PassThrough();
        const { signal } = controller;
        const { exit, channel } = await (await connection()).pipe(sleeperCommand, { stdout, signal });
        await using _sleeper = await sleeperBehind(stdout);
        const closed = closeOf(channel);
        controller.abort();
        t.equal(await codeOf(exit), 'ABORTED');
        t.match(await closed, { code: 'ABORTED' });
      },
    },
    {
      name: 'abort of a running pipe whose stdout nobody joined: exit rejects',
      run: async (t, { connection }) => {
        const controller = new AbortController();
        const { exit, channel } = await (await connection()).pipe(sleeperCommand, { signal: controller.signal });
        await using _sleeper = await sleeperBehind(channel);
        controller.abort();
        t.equal(await codeOf(exit), 'ABORTED');
      },
    },
    {
      name: 'abort of a pipe whose stdout does not take: exit rejects',
      run: async (t, { connection }) => {
        const controller = new AbortController();
        const stdout = new PassThrough({ highWaterMark: 1 });
        const { signal } = controller;
        const { exit, progress } = await (await connection()).pipe('exec cat /dev/zero', { stdout, signal });
        await new Promise((resolve) => stdout.once('readable', resolve));
        controller.abort();
        t.equal(await codeOf(exit), 'ABORTED');
        t.ok(progress.received > 0);
      },
    },
    {
      name: 'close with drainMs does not wait for channels that were destroyed',
      run: async (t, { server }) => {
        const connection = await (await server()).connect();
        const channel = await connection.openSession({ kind: 'exec', command: sleeperCommand });
        await using _sleeper = await sleeperBehind(channel);
        channel.destroy();
        await connection.close({ drainMs: 60_000 });
        t.strictSame(await connection.closed, { kind: 'closed' });
      },
    },
    {
      name: 'close with drainMs does not wait for a channel that is destroyed meanwhile',
      run: async (t, { server }) => {
        const connection = await (await server()).connect();
        const channel = await connection.openSession({ kind: 'exec', command: sleeperCommand });
        await using _sleeper = await sleeperBehind(channel);
        const closing = connection.close({ drainMs: 60_000 });
        channel.destroy();
        await closing;
        t.strictSame(await connection.closed, { kind: 'closed' });
      },
    },
  ],
};
