import { once } from 'node:events';
import type { AddressInfo } from 'node:net';
import { Duplex } from 'node:stream';
import ssh2 from 'ssh2';
import t from 'tap';
import { describeSsh2, supportedAlgorithms } from '../src/ssh2-private/installed.ts';
import { openRawChannel, windowSize } from '../src/ssh2-private/raw-channel.ts';
import { makeServerKey } from './connect-to.ts';

// When one of these fails after an update of ssh2, src/ssh2-private/ has to be read again, line by line.

t.test('the version that was read', async (t) => {
  t.equal(describeSsh2().version, '1.17.0');
});

t.test('lists of algorithms are where they were, and hold what sshd has', async (t) => {
  const { ciphers, macs, kex, hostKeys } = supportedAlgorithms();
  t.ok(ciphers.includes('aes128-gcm@openssh.com'));
  t.ok(macs.includes('hmac-sha2-256-etm@openssh.com'));
  t.ok(kex.includes('curve25519-sha256'));
  t.ok(hostKeys.includes('ssh-ed25519'));
});

t.test('members of Client and Protocol', async (t) => {
  const client = new ssh2.Client();
  const inside = client as unknown as {
    _chanMgr: { add: unknown };
    _protocol: Record<string, unknown> & { _handlers: Record<string, unknown> };
  };
  const wire = new Duplex({ read: () => undefined, write: (_chunk, _encoding, done) => done() });
  client.on('error', () => undefined);
  client.connect({ sock: wire, username: 'nobody', readyTimeout: 0 });
  t.type(inside._chanMgr.add, 'function');
  const protocol = inside._protocol;
  for (const method of [
    'session',
    'directTcpip',
    'openssh_directStreamLocal',
    'channelWindowAdjust',
    'env',
    'pty',
    'exec',
    'shell',
    'subsystem',
    'signal',
    'windowChange',
  ]) {
    t.type(protocol[method], 'function', method);
  }
  t.type(protocol._handlers.USERAUTH_FAILURE, 'function');
  t.ok('_strictMode' in protocol && '_remoteIdentRaw' in protocol && '_buffer' in protocol);
  wire.destroy();
});

t.test('an open channel: members, and the order in which it is told', async (t) => {
  const { client, stop } = await loggedIn();
  t.teardown(stop);
  const told: string[] = [];
  const channel = await new Promise<Record<string, unknown>>((resolve) =>
    client.exec('anything', (_error, opened) => resolve(opened as unknown as Record<string, unknown>)),
  );
  t.match(channel, {
    incoming: { window: Number, state: 'open' },
    outgoing: { id: Number, state: 'open' },
    _callbacks: Array,
  });
  for (const method of ['push', '_write', 'eof', 'close']) t.type(channel[method], 'function', method);
  t.match(channel, { stderr: { push: Function } });

  const closed = new Promise<void>((resolve, reject) => {
    openRawChannel(
      client,
      { type: 'session' },
      (raw) => {
        raw.start({ kind: 'exec', command: 'anything' }, (accepted) => told.push(`accepted ${accepted}`));
        return {
          data: (chunk) => told.push(`data ${chunk.toString()}`),
          stderr: (chunk) => told.push(`stderr ${chunk.toString()}`),
          exit: (status) => told.push(`exit ${JSON.stringify(status)}`),
          eof: () => told.push('eof'),
          overflow: () => told.push('overflow'),
          closed: resolve,
        };
      },
      reject,
    );
  });
  await closed;
  t.strictSame(told, [
    'accepted true',
    'data out',
    'stderr err',
    'exit {"kind":"signal","signal":"TERM","coreDumped":true,"message":"why"}',
    'eof',
  ]);
});

t.test('what was consumed is granted to the server again, and nothing else is', async (t) => {
  const { client, stop } = await loggedIn();
  t.teardown(stop);
  let granted = 0;
  const { _protocol: protocol } = client as unknown as {
    _protocol: { channelWindowAdjust(id: number, bytes: number): void };
  };
  const adjust = protocol.channelWindowAdjust.bind(protocol);
  protocol.channelWindowAdjust = (id, bytes) => {
    granted += bytes;
    adjust(id, bytes);
  };
  let received = 0;
  await new Promise<void>((resolve, reject) => {
    openRawChannel(
      client,
      { type: 'session' },
      (raw) => {
        raw.start({ kind: 'exec', command: 'flood' }, () => undefined);
        const take = (chunk: Buffer): void => {
          received += chunk.length;
          if (received === windowSize) {
            t.equal(granted, 0, 'all of the window came, and nothing was granted yet');
            raw.grant(windowSize);
          }
          if (received > windowSize) resolve();
        };
        return {
          data: take,
          stderr: () => undefined,
          exit: () => undefined,
          eof: () => undefined,
          overflow: () => reject(new Error('overflow')),
          closed: () => undefined,
        };
      },
      reject,
    );
  });
  t.equal(granted, windowSize);
});

/** A client of ssh2 that is logged in to a server of ssh2. */
async function loggedIn(): Promise<{ client: ssh2.Client; stop: () => void }> {
  const server = new ssh2.Server({ hostKeys: [makeServerKey()] }, (peer) => {
    peer.on('error', () => undefined).on('authentication', (login) => login.accept());
    peer.on('session', (acceptSession) => {
      acceptSession().on('exec', (acceptExec, _reject, { command }) => {
        const stream = acceptExec();
        stream.on('error', () => undefined);
        stream.write(command === 'flood' ? Buffer.alloc(2 * windowSize) : 'out');
        if (command === 'flood') return;
        stream.stderr.write('err');
        stream.exit('TERM', true, 'why');
        stream.end();
      });
    });
  });
  await once(server.listen(0, '127.0.0.1'), 'listening');
  const client = new ssh2.Client();
  client.on('error', () => undefined);
  client.connect({ host: '127.0.0.1', port: (server.address() as AddressInfo).port, username: 'x' });
  await once(client, 'ready');
  const stop = (): void => {
    client.destroy();
    server.close();
  };
  return { client, stop };
}
