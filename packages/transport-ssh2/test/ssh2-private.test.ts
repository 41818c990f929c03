import { once } from 'node:events';
import type { AddressInfo } from 'node:net';
import { Duplex } from 'node:stream';
import { waitUntil } from '@viassh/testing';
import ssh2 from 'ssh2';
import t from 'tap';
import { describeSsh2, supportedAlgorithms } from '../src/ssh2-private/installed.ts';
import { sendGlobalRequest } from '../src/ssh2-private/global-request.ts';
import { openRawChannel, packetSize } from '../src/ssh2-private/open-raw-channel.ts';
import { exchangeKeys, isExchangingKeys, watchWire } from '../src/ssh2-private/rekey.ts';
import { onServerOpening } from '../src/ssh2-private/server-opening.ts';
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
    _chanMgr: Record<string, unknown>;
    _callbacks: unknown;
    _protocol: Record<string, unknown> & {
      _handlers: Record<string, unknown>;
      _packetRW: { write: Record<string, unknown> };
    };
  };
  const wire = new Duplex({ read: () => undefined, write: (_chunk, _encoding, done) => done() });
  client.on('error', () => undefined);
  client.connect({ sock: wire, username: 'nobody', readyTimeout: 0 });
  t.type(inside._chanMgr.add, 'function');
  t.type(inside._chanMgr.remove, 'function');
  t.ok(Array.isArray(inside._callbacks), 'the row of replies to global requests');
  const protocol = inside._protocol;
  for (const message of [
    'OPEN',
    'OPEN_CONFIRMATION',
    'OPEN_FAILURE',
    'DATA',
    'EXTENDED_DATA',
    'WINDOW_ADJUST',
    'REQUEST',
    'SUCCESS',
    'FAILURE',
    'EOF',
    'CLOSE',
  ]) {
    t.type(protocol._handlers[`CHANNEL_${message}`], 'function', message);
  }
  for (const name of ['USERAUTH_FAILURE', 'USERAUTH_PK_OK', 'SERVICE_ACCEPT', 'EXT_INFO'])
    t.type(protocol._handlers[name], 'function', name);
  for (const name of ['authPK', '_onWrite', 'parse', 'rekey', '_destruct']) t.type(protocol[name], 'function', name);
  t.type(protocol._packetRW.write.allocStart, 'number');
  t.type(protocol._packetRW.write.alloc, 'function');
  t.type(protocol._packetRW.write.finalize, 'function');
  t.ok('_strictMode' in protocol && '_remoteIdentRaw' in protocol && '_buffer' in protocol);
  t.ok('_kexinit' in protocol);
  t.ok('DEBUG' in protocol._handlers, 'what debug-messages.ts takes');
  wire.destroy();
});

t.test(
  'a key exchange: known while it is under way, seen on the wire, and no more once the connection is over',
  async (t) => {
    const { client, stop } = await loggedIn();
    t.teardown(stop);
    const passed = { sent: 0, received: 0 };
    watchWire(client, {
      sent: (bytes) => (passed.sent += bytes),
      received: (bytes) => (passed.received += bytes),
    });
    t.equal(isExchangingKeys(client), false);
    exchangeKeys(client);
    t.equal(isExchangingKeys(client), true);
    await once(client, 'handshake');
    await waitUntil('the end of it', async () => !isExchangingKeys(client));
    t.ok(passed.received > 500, JSON.stringify(passed));
    await new Promise((resolve) => sendGlobalRequest(client, 'anything@example.com', [], resolve));
    t.ok(passed.sent > 30 && passed.received > 500, JSON.stringify(passed));
    client.end();
    await once(client, 'close');
    exchangeKeys(client);
    t.equal(isExchangingKeys(client), false);
  },
);

t.test('an open channel: the order in which it is told', async (t) => {
  const { client, stop } = await loggedIn();
  t.teardown(stop);
  const told: string[] = [];
  await new Promise<void>((resolve, reject) => {
    openRawChannel(client, { type: 'session' }, 1_000_000, {
      onOpen(raw) {
        raw.start({ kind: 'exec', command: 'anything' }, (accepted) => told.push(`accepted ${accepted}`));
        return {
          data: (chunk) => told.push(`data ${chunk.toString()}`),
          stderr: (chunk, isStderr) => told.push(`stderr ${chunk.toString()} ${isStderr}`),
          exit: (status) => told.push(`exit ${JSON.stringify(status)}`),
          eof: () => told.push('eof'),
          closed: resolve,
        };
      },
      onFailure: (reason) => reject(new Error(`refused: ${reason}`)),
    });
  });
  t.strictSame(told, [
    'accepted true',
    'data out',
    'stderr err true',
    'exit {"kind":"signal","signal":"TERM","coreDumped":true,"message":"why"}',
    'eof',
  ]);
});

t.test('a window is what we say; a packet more comes for what was granted, and nothing else', async (t) => {
  const { client, stop } = await loggedIn();
  t.teardown(stop);
  const window = 100_000;
  let received = 0;
  let lengths = 0;
  await new Promise<void>((resolve, reject) => {
    openRawChannel(client, { type: 'session' }, window, {
      onOpen(raw) {
        raw.start({ kind: 'exec', command: 'flood' }, () => undefined);
        return {
          data(chunk) {
            received += chunk.length;
            lengths = Math.max(lengths, chunk.length);
            if (received === window) {
              // what the server has sent before it can have read the reply is here before that reply
              sendGlobalRequest(client, 'anything@example.com', [], (data) => {
                t.equal(data, undefined, 'refused');
                t.equal(received, window);
                raw.grant(5);
              });
            }
            if (received > window) resolve();
          },
          stderr: () => undefined,
          exit: () => undefined,
          eof: () => undefined,
          closed: () => undefined,
        };
      },
      onFailure: (reason) => reject(new Error(`refused: ${reason}`)),
    });
  });
  t.equal(received, window + 5);
  t.equal(lengths, packetSize);
});

t.test('what we write fills the window of the server, and goes on as it grants', async (t) => {
  const { client, held, stop } = await loggedIn();
  t.teardown(stop);
  const sent = Buffer.alloc(5_000_000, 'viassh');
  const back: Buffer[] = [];
  const readOn = async (): Promise<void> => {
    const stream = await held;
    const { window } = (stream as unknown as { incoming: { window: number } }).incoming;
    t.ok(window >= 0, `${window}: no more than it granted`);
    stream.pipe(stream);
  };
  await new Promise<void>((resolve, reject) => {
    openRawChannel(client, { type: 'session' }, 2 * sent.length, {
      onOpen(raw) {
        raw.start({ kind: 'exec', command: 'echo' }, () => {
          raw.write(sent, () => raw.eof());
          sendGlobalRequest(client, 'anything@example.com', [], () => {
            void readOn();
          });
        });
        return {
          data: (chunk) => back.push(chunk),
          stderr: () => undefined,
          exit: () => undefined,
          eof: resolve,
          closed: () => undefined,
        };
      },
      onFailure: (reason) => reject(new Error(`refused: ${reason}`)),
    });
  });
  t.ok(Buffer.concat(back).equals(sent));
});

t.test('replies to global requests come in the order of the requests, and those of ssh2 are among them', async (t) => {
  const { client, stop } = await loggedIn();
  t.teardown(stop);
  const replies: string[] = [];
  await new Promise<void>((resolve) => {
    sendGlobalRequest(client, 'tcpip-forward', ['127.0.0.1', 0], (data) =>
      replies.push(`port ${data?.readUInt32BE(0)}`),
    );
    client.forwardIn('127.0.0.1', 0, (_error, port) => replies.push(`ssh2's port ${port}`));
    sendGlobalRequest(client, 'unknown@example.com', [], (data) => replies.push(String(data)));
    sendGlobalRequest(client, 'tcpip-forward', ['127.0.0.1', 0], (data) => {
      replies.push(`port ${data?.readUInt32BE(0)}`);
      resolve();
    });
  });
  t.strictSame(replies, ['port 1000', "ssh2's port 1001", 'undefined', 'port 1002']);
});

t.test(
  'what the server opens: told with who it is, accepted with a window of ours, or refused in our words',
  async (t) => {
    const { client, peer, stop } = await loggedIn();
    t.teardown(stop);
    const told: unknown[] = [];
    onServerOpening(client, ({ type, fields, accept, refuse }) => {
      told.push([type, { ...fields }]);
      if (fields.destPort === 1) return refuse(2, 'not today');
      accept(10, () => ({
        data: (chunk) => told.push(chunk.toString()),
        stderr: () => undefined,
        exit: () => undefined,
        eof: () => undefined,
        closed: () => undefined,
      }));
    });
    const open = (port: number): Promise<ssh2.Channel> =>
      new Promise((resolve, reject) =>
        peer.forwardOut('10.0.0.1', port, '10.0.0.2', 7, (error, stream) => (error ? reject(error) : resolve(stream))),
      );
    await t.rejects(open(1), { message: /not today/, reason: 2 });
    const stream = await open(2);
    t.equal((stream as unknown as { outgoing: { window: number } }).outgoing.window, 10);
    stream.write('hello');
    await waitUntil('the word', async () => told.length === 3);
    const fields = { destIP: '10.0.0.1', srcIP: '10.0.0.2', srcPort: 7 };
    t.strictSame(told, [
      ['forwarded-tcpip', { ...fields, destPort: 1 }],
      ['forwarded-tcpip', { ...fields, destPort: 2 }],
      'hello',
    ]);
  },
);

t.test('a channel of ssh2 itself works beside ours', async (t) => {
  const { client, stop } = await loggedIn();
  t.teardown(stop);
  openRawChannel(client, { type: 'session' }, 1000, {
    onOpen: () => ({
      data: () => undefined,
      stderr: () => undefined,
      exit: () => undefined,
      eof: () => undefined,
      closed: () => undefined,
    }),
    onFailure: () => undefined,
  });
  const theirs = await new Promise<ssh2.ClientChannel>((resolve, reject) =>
    client.exec('anything', (error, opened) => (error ? reject(error) : resolve(opened))),
  );
  theirs.stderr.resume();
  t.equal(String(await theirs.toArray()), 'out');
});

/** A client of ssh2 that is logged in to a server of ssh2. */
async function loggedIn(): Promise<{
  client: ssh2.Client;
  peer: ssh2.Connection;
  /** The server's end of the command `echo`, which nobody reads yet. */
  held: Promise<ssh2.ServerChannel>;
  stop: () => void;
}> {
  const held = Promise.withResolvers<ssh2.ServerChannel>();
  let nextPort = 1000;
  const connected = Promise.withResolvers<ssh2.Connection>();
  const server = new ssh2.Server({ hostKeys: [makeServerKey()] }, (peer) => {
    connected.resolve(peer);
    peer.on('error', () => undefined).on('authentication', (login) => login.accept());
    peer.on('request', (accept, reject, name) => (name === 'tcpip-forward' ? accept?.(nextPort++) : reject?.()));
    peer.on('session', (acceptSession) => {
      acceptSession().on('exec', (acceptExec, _reject, { command }) => {
        const stream = acceptExec();
        stream.on('error', () => undefined);
        if (command === 'flood') stream.write(Buffer.alloc(1_000_000));
        else if (command === 'echo') held.resolve(stream);
        else {
          stream.write('out');
          stream.stderr.write('err');
          stream.exit('TERM', true, 'why');
          stream.end();
        }
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
  return { client, peer: await connected.promise, held: held.promise, stop };
}
