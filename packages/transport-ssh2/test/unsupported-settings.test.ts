import { once } from 'node:events';
import { type AddressInfo, createServer } from 'node:net';
import t from 'tap';
import { connectBy, failureOf, routeBy } from './connect-to.ts';

t.test('settings that cannot be honoured are refused by name, before anything is dialled', async (t) => {
  let dialled = 0;
  const server = createServer((socket) => {
    dialled += 1;
    socket.destroy();
  }).listen(0, '127.0.0.1');
  t.teardown(() => server.close());
  await once(server, 'listening');
  const { port } = server.address() as AddressInfo;
  const base = { configFile: 'none', port };
  for (const option of [
    'CertificateFile=/nowhere-cert.pub',
    'PKCS11Provider=/usr/lib/nothing.so',
    'KnownHostsCommand=/bin/true',
    'VerifyHostKeyDNS=yes',
    'RevokedHostKeys=/etc/revoked',
    'HostbasedAuthentication=yes',
    'BindInterface=lo',
    'Ciphers=aes128-cbc,MACs=umac-64@openssh.com',
  ]) {
    const options = option.split(',');
    const name = (options.at(-1) ?? '').split('=')[0] ?? '';
    const error = await failureOf(connectBy(await routeBy({ ...base, options }, 'nobody@127.0.0.1')));
    t.equal(error.code, 'SETTING_UNSUPPORTED', option);
    t.ok(error.message.includes(name), error.message);
    t.match(error.hint, /--transport openssh/);
  }
  const fdpass = await failureOf(
    connectBy(await routeBy({ ...base, options: ['ProxyUseFdpass=yes', 'ProxyCommand=false'] }, 'nobody@127.0.0.1')),
  );
  t.match(fdpass, { code: 'SETTING_UNSUPPORTED', message: /ProxyUseFdpass/ });
  t.equal(dialled, 0);
});

t.test('settings that only take a way of logging in away are no error', async (t) => {
  const options = [
    'GSSAPIAuthentication=yes',
    'ProxyUseFdpass=yes',
    'ConnectTimeout=5',
    'UserKnownHostsFile=/dev/null',
  ];
  const error = await failureOf(connectBy(await routeBy({ configFile: 'none', port: 1, options }, 'nobody@127.0.0.1')));
  t.equal(error.code, 'CONNECTION_REFUSED');
});
