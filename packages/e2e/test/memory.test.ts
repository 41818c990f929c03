import { chmod, mkdir, readFile, writeFile } from 'node:fs/promises';
import { join } from 'node:path';
import type { Readable } from 'node:stream';
import type { Test } from 'tap';
import { startSshd, waitUntil } from '@viassh/testing';
import { onBothTransports } from './both-transports.ts';
import { at, startViassh } from './run-viassh.ts';

const MIB = 1024 * 1024;
const GIB = 1024 * MIB;
const MOST_KIB = 150 * 1024;

onBothTransports('1 GiB to a slow reader takes less than 150 MiB of memory', async (t, transport) => {
  await using sshd = await startSshd({ mode: 'listen' });
  await using running = startViassh(['pipe', ...at(sshd, transport), '--', 'head -c 1G /dev/zero; read _; exit 6']);
  let received = 0;
  for (const until of [1 * MIB, 65 * MIB, 129 * MIB]) {
    received += await readAtLeast(running.stdout, until - received);
    await standstill(running.pid);
    await assertMemory(t, running.pid, `after ${until / MIB} MiB, while nobody reads`);
  }
  received += await readAtLeast(running.stdout, GIB - received);
  await assertMemory(t, running.pid, 'at the end');
  running.stdin.end('\n');
  running.stdout.on('data', (chunk: Buffer) => (received += chunk.length));
  t.strictSame(await running.exit, { code: 6, signal: null });
  t.equal(received, GIB);
});

onBothTransports(
  '1 GiB to a far end that does not read yet takes less than 150 MiB of memory',
  async (t, transport) => {
    await using sshd = await startSshd({ mode: 'listen' });
    const both = join(sshd.folder, 'both');
    await mkdir(both);
    await chmod(both, 0o777);
    const command = `echo up; until [ -e ${both}/go ]; do sleep 0.05; done; wc -c; exit 6`;
    await using running = startViassh(['pipe', ...at(sshd, transport), '--', command]);
    const block = Buffer.alloc(MIB);
    let sent = 0;
    const feed = (): void => {
      while (sent < 256 * MIB && running.stdin.writableLength < 4 * MIB) {
        sent += MIB;
        running.stdin.write(block, feed);
      }
    };
    feed();
    await readAtLeast(running.stdout, 'up\n'.length);
    await standstill(running.pid);
    await assertMemory(t, running.pid, 'while the far end does not read');
    t.ok(sent < 64 * MIB, `the sender is held back after ${sent / MIB} MiB`);
    await writeFile(join(both, 'go'), '');
    await waitUntil('the last MiB to be taken', () => sent === 256 * MIB, { withinMs: 60_000 });
    await assertMemory(t, running.pid, 'near the end');
    running.stdin.end();
    t.equal(Buffer.concat(await running.stdout.toArray()).toString(), `${256 * MIB}\n`);
    t.strictSame(await running.exit, { code: 6, signal: null });
  },
);

/** Reads as fast as it comes until so many bytes were there. */
async function readAtLeast(stream: Readable, bytes: number): Promise<number> {
  let count = 0;
  for await (const chunk of stream.iterator({ destroyOnReturn: false })) {
    count += (chunk as Buffer).length;
    if (count >= bytes) break;
  }
  return count;
}

/** Everything on the way is full: the process has stopped to read and to write. */
async function standstill(pid: number): Promise<void> {
  let [last, same] = ['', 0];
  await waitUntil(
    'the process to stop reading',
    async () => {
      const now = await readFile(`/proc/${pid}/io`, 'utf8');
      same = now === last ? same + 1 : 0;
      last = now;
      return same >= 15;
    },
    { withinMs: 20_000 },
  );
}

async function assertMemory(t: Test, pid: number, when: string): Promise<void> {
  const kib = Number(/^VmHWM:\s+(\d+) kB$/m.exec(await readFile(`/proc/${pid}/status`, 'utf8'))?.[1]);
  t.ok(kib > 0 && kib < MOST_KIB, `${when}: ${Math.round(kib / 1024)} MiB`);
}
