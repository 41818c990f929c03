import { once } from 'node:events';
import { startSshd } from '@viassh/testing';
import { assertFailure } from './assert-failure.ts';
import { onBothTransports } from './both-transports.ts';
import { at, type RunningViassh, startViassh } from './run-viassh.ts';

const firstByte = async ({ stdout }: RunningViassh): Promise<void> => {
  await once(stdout, 'readable');
};

onBothTransports('a server that dies during a download is 255 and CONNECTION_LOST', async (t, transport) => {
  await using sshd = await startSshd({ mode: 'listen' });
  await using running = startViassh(['pipe', ...at(sshd, transport), '--', 'yes']);
  await firstByte(running);
  running.stdout.resume();
  await sshd.kill();
  assertFailure(
    t,
    { ...(await running.exit), stdout: Buffer.of(), stderr: running.stderr() },
    { error: 'CONNECTION_LOST', says: /127\.0\.0\.1/ },
  );
});

onBothTransports('a server that dies during an upload is 255 and CONNECTION_LOST', async (t, transport) => {
  await using sshd = await startSshd({ mode: 'listen' });
  await using running = startViassh(['pipe', ...at(sshd, transport), '--', 'echo up; exec cat >/dev/null']);
  const block = Buffer.alloc(256 * 1024);
  const feed = (): void => {
    while (running.stdin.writable && running.stdin.write(block));
  };
  running.stdin.on('drain', feed);
  feed();
  await firstByte(running);
  running.stdout.resume();
  await sshd.kill();
  assertFailure(
    t,
    { ...(await running.exit), stdout: Buffer.of(), stderr: running.stderr() },
    { error: 'CONNECTION_LOST' },
  );
});

onBothTransports('a server that dies while nothing passes is 255 and CONNECTION_LOST', async (t, transport) => {
  await using sshd = await startSshd({ mode: 'listen' });
  await using running = startViassh(['pipe', ...at(sshd, transport), '--', 'echo up; exec cat']);
  await firstByte(running);
  running.stdout.resume();
  await sshd.kill();
  assertFailure(
    t,
    { ...(await running.exit), stdout: Buffer.of(), stderr: running.stderr() },
    { error: 'CONNECTION_LOST' },
  );
});

onBothTransports('a ProxyCommand whose end dies is CONNECTION_LOST too', async (t, transport) => {
  await using sshd = await startSshd();
  await using running = startViassh(['pipe', ...at(sshd, transport), '--', 'echo up; exec cat']);
  await firstByte(running);
  running.stdout.resume();
  await sshd.kill();
  assertFailure(
    t,
    { ...(await running.exit), stdout: Buffer.of(), stderr: running.stderr() },
    { error: 'CONNECTION_LOST' },
  );
});
