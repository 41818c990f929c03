import { once } from 'node:events';
import type { AddressInfo } from 'node:net';
import { insecureAcceptAnyHostKey, silentLogger } from '@viassh/core';
import ssh2 from 'ssh2';
import t from 'tap';
import { connectBy, makeServerKey, routeBy } from '../connect-to.ts';

const CHUNK = 32 * 1024;
const CHUNKS = 512; // 16 MiB: more than any window is at the start

/** What of a server's channel its types do not show. */
interface Inside {
  readonly _client: { readonly _protocol: { channelData(channel: number, data: Buffer): void } };
  readonly outgoing: { readonly id: number };
}

t.test('a server that sends beyond the window: that channel ends, the others and the memory do not', async (t) => {
  const flood = (stream: ssh2.ServerChannel): void => {
    const { _client, outgoing } = stream as unknown as Inside;
    for (let sent = 0; sent < CHUNKS; sent += 1) _client._protocol.channelData(outgoing.id, Buffer.alloc(CHUNK));
  };
  const server = new ssh2.Server({ hostKeys: [makeServerKey()] }, (peer) => {
    peer.on('error', () => undefined).on('authentication', (login) => login.accept());
    peer.on('session', (accept) => {
      accept().on('exec', (acceptExec, _reject, { command }) => {
        const stream = acceptExec();
        stream.on('error', () => undefined);
        if (command === 'flood') flood(stream);
        else stream.pipe(stream);
      });
    });
  });
  await once(server.listen(0, '127.0.0.1'), 'listening');
  t.teardown(() => server.close());
  const { port } = server.address() as AddressInfo;
  const route = await routeBy({ configFile: 'none', port }, 'x@127.0.0.1');
  const connection = await connectBy(route, {
    verifyHostKey: insecureAcceptAnyHostKey(silentLogger),
    spareSession: false,
  });
  t.teardown(() => connection.close());
  const echo = await connection.openSession({ kind: 'exec', command: 'echo' });
  const flooded = await connection.openSession({ kind: 'exec', command: 'flood' }); // and nobody reads it
  const [error] = (await once(flooded, 'error').catch((reason: unknown) => [reason])) as [unknown];
  t.match(error, { code: 'PROTOCOL_ERROR', message: /window/ });
  t.ok(flooded.readableLength < CHUNK * CHUNKS, `${flooded.readableLength} bytes are kept`);
  echo.write('still here');
  t.equal(String((await once(echo, 'data'))[0]), 'still here');
});
