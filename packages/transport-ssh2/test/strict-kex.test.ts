import { once } from 'node:events';
import { createRequire } from 'node:module';
import type { AddressInfo } from 'node:net';
import { insecureAcceptAnyHostKey, silentLogger } from '@viassh/core';
import t, { type Test } from 'tap';
import { connectBy, failureOf, routeBy, makeServerKey } from './connect-to.ts';

// A server without strict kex cannot be installed any more: ssh2's is made to leave it out, before the rest of it loads.
const require = createRequire(import.meta.url);
const kex = require('ssh2/lib/protocol/kex.js');
kex.KexInit = class extends kex.KexInit {
  constructor(offer: { kex: string[] }) {
    super({ ...offer, kex: offer.kex.filter((name) => name !== 'kex-strict-s-v00@openssh.com') });
  }
};
const { default: ssh2 } = await import('ssh2');

async function serverWith(t: Test, cipher: string): Promise<{ port: number; logins: string[] }> {
  const logins: string[] = [];
  const algorithms = { cipher: [cipher] } as never;
  const server = new ssh2.Server({ hostKeys: [makeServerKey()], algorithms }, (peer) => {
    peer
      .on('error', () => undefined)
      .on('authentication', (login) => {
        logins.push(login.method);
        login.accept();
      });
  });
  await once(server.listen(0, '127.0.0.1'), 'listening');
  t.teardown(() => server.close());
  return { port: (server.address() as AddressInfo).port, logins };
}

t.test('a server without strict kex', async (t) => {
  await t.test('that agrees on chacha20 is refused before anything of a login is sent', async (t) => {
    const { port, logins } = await serverWith(t, 'chacha20-poly1305@openssh.com');
    const error = await failureOf(connect(port));
    t.match(error, { code: 'NEGOTIATION_FAILED', message: /chacha20/ });
    t.strictSame(logins, []);
  });
  await t.test('that agrees on CBC with encrypt-then-MAC is refused', async (t) => {
    const { port, logins } = await serverWith(t, 'aes128-cbc');
    t.equal(
      (await failureOf(connect(port, 'Ciphers=aes128-cbc', 'MACs=hmac-sha2-256-etm@openssh.com'))).code,
      'NEGOTIATION_FAILED',
    );
    t.strictSame(logins, []);
  });
  await t.test('that agrees on AES-GCM is used', async (t) => {
    const { port, logins } = await serverWith(t, 'aes128-gcm@openssh.com');
    await using connection = await connect(port);
    t.equal(connection.info.cipher, 'aes128-gcm@openssh.com');
    t.ok(logins.length > 0);
  });
});

async function connect(port: number, ...options: string[]): ReturnType<typeof connectBy> {
  const route = await routeBy({ configFile: 'none', port, options }, 'x@127.0.0.1');
  return await connectBy(route, { verifyHostKey: insecureAcceptAnyHostKey(silentLogger) });
}
