import { createHash, randomBytes } from 'node:crypto';
import { once } from 'node:events';
import { readFile } from 'node:fs/promises';
import { join } from 'node:path';
import { Readable } from 'node:stream';
import { pipeline } from 'node:stream/promises';
import { waitUntil } from '../processes/wait-until.ts';
import type { ComplianceArea } from './compliance-case.ts';
import { closeOf, collect, digestOf, readUntil, textOf } from './collect.ts';

const MEBIBYTE = 1024 * 1024;
const MOST_BUFFERED = 3 * MEBIBYTE; // one window of 2 MiB, and the pipes and buffers of sshd and the kernel on the way

/** Tells the process id of what then writes 5 MB to stderr, and a word to stdout after it. */
const loudCommand = `sh -c 'echo $$; exec head -c 5000000 /dev/zero >&2'; echo through`;

/** SessionChannel: bytes, windows, EOF and close. */
export const sessionDataArea: ComplianceArea = {
  name: 'session data',
  cases: [
    {
      name: 'our EOF is no close: the command answers after it',
      run: async (t, { connection }) => {
        const channel = await (await connection()).openSession({
          kind: 'exec',
          command: 'cat; echo after; echo also >&2; exit 5',
        });
        channel.end('before ');
        t.strictSame(await collect(channel), {
          stdout: 'before after\n',
          stderr: 'also\n',
          exit: { kind: 'status', code: 5 },
        });
      },
    },
    {
      name: 'EOF at once, without a byte',
      run: async (t, { connection }) => {
        const channel = await (await connection()).openSession({ kind: 'exec', command: 'wc -c' });
        channel.end();
        t.equal((await collect(channel)).stdout.trim(), '0');
      },
    },
    {
      name: 'the far end closes its outputs first and still reads: the status is that of the end',
      run: async (t, { connection }) => {
        const channel = await (await connection()).openSession({
          kind: 'exec',
          command: 'exec >&- 2>&-; cat >/dev/null; exit 3',
        });
        channel.stderr.resume();
        await textOf(channel);
        channel.write(Buffer.alloc(MEBIBYTE));
        channel.end();
        t.strictSame(await channel.exit, { kind: 'status', code: 3 });
      },
    },
    {
      name: 'the far end stops reading: what we write does not block or crash, the status comes',
      run: async (t, { connection }) => {
        const channel = await (await connection()).openSession({
          kind: 'exec',
          command: 'exec <&-; echo deaf; exit 4',
        });
        const collected = collect(channel);
        channel.on('error', () => undefined);
        channel.write(Buffer.alloc(MEBIBYTE));
        t.match(await collected, { stdout: 'deaf\n', exit: { kind: 'status', code: 4 } });
      },
    },
    {
      name: 'writing after the far end has closed does not crash',
      run: async (t, { connection }) => {
        const channel = await (await connection()).openSession({ kind: 'exec', command: 'true' });
        const failures: Error[] = [];
        channel.on('error', (error) => failures.push(error));
        await Promise.all([collect(channel), closeOf(channel)]);
        const { promise: called, resolve } = Promise.withResolvers<void>();
        channel.write('too late', () => resolve());
        await called;
        channel.end();
        t.strictSame(failures, []);
      },
    },
    {
      name: 'stderr is apart, in order, with its own bytes',
      run: async (t, { connection }) => {
        const command = 'for n in 1 2 3 4 5; do echo out$n; echo err$n >&2; done';
        t.match(await collect(await (await connection()).openSession({ kind: 'exec', command })), {
          stdout: lines('out'),
          stderr: lines('err'),
        });
      },
    },
    {
      name: 'more than a window of stderr arrives whole, beside stdout',
      run: async (t, { connection }) => {
        const command = 'head -c 5000000 /dev/zero >&2 & head -c 5000000 /dev/zero; wait';
        const channel = await (await connection()).openSession({ kind: 'exec', command });
        const [out, error] = await Promise.all([digestOf(channel), digestOf(channel.stderr)]);
        t.equal(out.bytes, 5_000_000);
        t.strictSame(error, out);
      },
    },
    {
      name: 'stderr that its reader left at the first bytes does not stall stdout',
      run: async (t, { connection }) => {
        const channel = await (await connection()).openSession({ kind: 'exec', command: loudCommand });
        for await (const chunk of channel.stderr) {
          t.ok((chunk as Buffer).length > 0);
          break;
        }
        t.equal((await textOf(channel)).split('\n').at(-2), 'through');
        t.strictSame(await channel.exit, { kind: 'status', code: 0 });
      },
    },
    {
      name: 'stderr that is destroyed when it has filled the window gives it back: stdout goes on',
      run: async (t, { connection }) => {
        const channel = await (await connection()).openSession({ kind: 'exec', command: loudCommand });
        const pid = (await readUntil(channel, '\n')).trim();
        await settledCount(() => bytesWritten(pid));
        channel.stderr.destroy();
        t.equal(await textOf(channel), 'through\n');
        t.strictSame(await channel.exit, { kind: 'status', code: 0 });
      },
    },
    {
      name: '16 MiB of random bytes, up and down, come back the same',
      run: async (t, { connection }) => {
        const piece = randomBytes(MEBIBYTE);
        const hash = createHash('sha256');
        for (let index = 0; index < 16; index += 1) hash.update(piece);
        const channel = await (await connection()).openSession({ kind: 'exec', command: 'cat' });
        channel.stderr.resume();
        const back = digestOf(channel);
        await pipeline(Readable.from(Array.from({ length: 16 }, () => piece)), channel, { end: true }).catch(
          (error: unknown) => t.fail(String(error)),
        );
        t.strictSame(await back, { bytes: 16 * MEBIBYTE, sha256: hash.digest('hex') });
        t.strictSame(await channel.exit, { kind: 'status', code: 0 });
      },
    },
    {
      name: 'a reader that waits blocks the far end: no more than a window comes, then all of it',
      run: async (t, { connection, server }) => {
        const file = join((await server()).folder, 'writer-pid');
        const channel = await (await connection()).openSession({
          kind: 'exec',
          command: `echo $$ >${file}; exec dd if=/dev/zero bs=65536 count=256 status=none`,
        });
        channel.stderr.resume();
        const pid = await waitUntil(
          'the writer to run',
          async () => (await readFile(file, 'utf8').catch(() => '')).trim() || undefined,
        );
        const written = await settledCount(() => bytesWritten(pid));
        t.ok(written >= MEBIBYTE / 4 && written <= MOST_BUFFERED, `written while nobody read: ${written} bytes`);
        t.equal((await digestOf(channel)).bytes, 16 * MEBIBYTE);
        t.strictSame(await channel.exit, { kind: 'status', code: 0 });
      },
    },
    {
      name: 'a far end that does not read blocks our writing: write says so, and drain comes when it reads',
      run: async (t, { connection, server }) => {
        const go = join((await server()).folder, 'go');
        const channel = await (await connection()).openSession({
          kind: 'exec',
          command: `echo up; while ! [ -e ${go} ]; do sleep 0.02; done; wc -c`,
        });
        await readUntil(channel, 'up\n');
        let sent = 0;
        const piece = Buffer.alloc(65_536);
        const blocked = async (): Promise<boolean> => {
          while (sent < 64 * MEBIBYTE) {
            sent += piece.length;
            if (channel.write(piece)) continue;
            const drained = await Promise.race([once(channel, 'drain').then(() => true), aWhile()]);
            if (!drained) return true;
          }
          return false;
        };
        t.ok(await blocked(), 'it blocks');
        t.ok(sent <= 2 * MOST_BUFFERED, `${sent} bytes went before that`);
        const drain = once(channel, 'drain');
        await (await connection()).openSession({ kind: 'exec', command: `touch ${go}` }).then(collect);
        await drain;
        channel.end();
        t.equal((await collect(channel)).stdout.trim(), String(sent));
      },
    },
  ],
};

/** What the command with the loop prints. */
function lines(word: string): string {
  return [1, 2, 3, 4, 5].map((n) => `${word}${n}\n`).join('');
}

/** Long enough that a drain would have come by itself; only ever waited for when it does not. */
async function aWhile(): Promise<false> {
  const { promise, resolve } = Promise.withResolvers<false>();
  setTimeout(() => resolve(false), 300);
  return await promise;
}

/** wchar of /proc/PID/io: bytes that a process has written to anywhere. */
async function bytesWritten(pid: string): Promise<number> {
  return Number(/^wchar: (\d+)$/m.exec(await readFile(`/proc/${pid}/io`, 'utf8'))?.[1]);
}

/** The count once it has begun to grow and then stays the same for 20 looks, 10 ms apart. */
async function settledCount(look: () => Promise<number>): Promise<number> {
  let last = -1;
  let same = 0;
  return await waitUntil('the far end to be blocked', async () => {
    const count = await look();
    same = count === last && count > 1024 ? same + 1 : 0;
    last = count;
    return same >= 20 ? count : undefined;
  });
}
