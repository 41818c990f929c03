import { once } from 'node:events';
import type { AddressInfo } from 'node:net';
import { createHash, randomBytes } from 'node:crypto';
import { pipeline } from 'node:stream/promises';
import { Readable } from 'node:stream';
import { type Connection, insecureAcceptAnyHostKey, silentLogger } from '@viassh/core';
import { startSshd, waitUntil, watchLeaks } from '@viassh/testing';
import ssh2 from 'ssh2';
import t from 'tap';
import { limitOf } from '../src/rekey.ts';
import { connectBy, connectTo, makeServerKey, output, routeBy } from './connect-to.ts';

const MIB = 2 ** 20;

t.test('64 MiB up and down at the same time, keys exchanged anew at each MiB', async (t) => {
  watchLeaks(t);
  for (const [title, server, options] of [
    ['because we have RekeyLimit', [], ['RekeyLimit=1M']],
    ['because the server has it', ['RekeyLimit 1M'], []],
    ['because both have it, and with compression', ['RekeyLimit 1M'], ['RekeyLimit=1M', 'Compression=yes']],
    ['with a cipher that is no AEAD', [], ['RekeyLimit=1M', 'Ciphers=aes256-ctr']],
  ] as const) {
    await t.test(title, async (t) => {
      await using sshd = await startSshd({ config: server });
      await using connection = await connectTo(sshd, { options: [...options] });
      t.equal(connection.info.compression, options.includes('Compression=yes' as never) ? 'zlib@openssh.com' : 'none');
      const { sent, received } = await echo(connection, 64);
      t.equal(received, sent, 'sha256');
      const exchanges = (await sshd.log()).match(/SSH2_MSG_NEWKEYS received/g)?.length ?? 0;
      t.ok(exchanges > 20, `${exchanges} key exchanges`);
      t.equal(await output(connection, 'echo still here'), 'still here\n');
    });
  }
});

t.test('after so many seconds, with nothing going on', async (t) => {
  await using sshd = await startSshd();
  await using connection = await connectTo(sshd, { options: ['RekeyLimit=default 1'] });
  const seen = async (): Promise<boolean> => ((await sshd.log()).match(/SSH2_MSG_NEWKEYS received/g)?.length ?? 0) >= 3;
  await waitUntil('two key exchanges after the first', seen, { withinMs: 30_000 });
  t.equal(await output(connection, 'echo still here'), 'still here\n');
});

t.test('without RekeyLimit nothing is exchanged anew for a few MiB', async (t) => {
  await using sshd = await startSshd();
  await using connection = await connectTo(sshd);
  await echo(connection, 4);
  t.equal((await sshd.log()).match(/SSH2_MSG_NEWKEYS received/g)?.length, 1);
});

t.test('a server that shows another host key in a key re-exchange: the connection is lost', async (t) => {
  const other = ssh2.utils.parseKey(makeServerKey());
  const server = new ssh2.Server({ hostKeys: [makeServerKey()] }, (peer) => {
    peer.on('error', () => undefined).on('authentication', (login) => login.accept());
    peer.on('session', (accept) => {
      accept().on('exec', (acceptExec) => {
        acceptExec();
        const { _protocol: protocol } = peer as unknown as { _protocol: { _hostKeys: Record<string, unknown> } };
        for (const name of Object.keys(protocol._hostKeys)) protocol._hostKeys[name] = other;
        peer.rekey();
      });
    });
  });
  await once(server.listen(0, '127.0.0.1'), 'listening');
  t.teardown(() => server.close());
  const { port } = server.address() as AddressInfo;
  const route = await routeBy({ configFile: 'none', port }, 'x@127.0.0.1');
  const connection = await connectBy(route, { verifyHostKey: insecureAcceptAnyHostKey(silentLogger) });
  const channel = await connection.openSession({ kind: 'exec', command: 'anything' });
  channel.on('error', () => undefined).resume();
  t.match(await connection.closed, {
    kind: 'lost',
    error: { code: 'CONNECTION_LOST', message: /another key before/ },
  });
  t.equal(connection.info.state, 'ended');
});

t.test('how much one key may carry: as in OpenSSH, by the block of the cipher', async (t) => {
  const gcm = 'aes128-gcm@openssh.com';
  t.equal(limitOf(0, [gcm, 'aes256-ctr']), 2 ** 36);
  t.equal(limitOf(0, [gcm, 'chacha20-poly1305@openssh.com']), 2 ** 30);
  t.equal(limitOf(0, ['3des-cbc', gcm]), 2 ** 30);
  t.equal(limitOf(5000, [gcm, gcm]), 5000);
  t.equal(limitOf(2 ** 40, [gcm, gcm]), 2 ** 36);
});

/** Sends so many MiB through `cat`; half of them can be compressed. */
async function echo(connection: Connection, mebibytes: number): Promise<{ sent: string; received: string }> {
  const block = Buffer.concat([randomBytes(MIB / 2), Buffer.alloc(MIB / 2, 'viassh ')]);
  const sent = createHash('sha256');
  const received = createHash('sha256');
  const channel = await connection.openSession({ kind: 'exec', command: 'cat' });
  channel.stderr.resume();
  const source = Readable.from(
    (function* () {
      for (let index = 0; index < mebibytes; index += 1) {
        block.writeUInt32BE(index);
        sent.update(block);
        yield Buffer.from(block);
      }
    })(),
  );
  await Promise.all([
    pipeline(source, channel, { end: true }),
    (async () => {
      for await (const chunk of channel) received.update(chunk as Buffer);
    })(),
  ]);
  return { sent: sent.digest('hex'), received: received.digest('hex') };
}
