import { once } from 'node:events';
import { type AddressInfo, createServer } from 'node:net';
import { join } from 'node:path';
import { type Sshd, startSshd } from '@viassh/testing';
import { assertFailure } from './assert-failure.ts';
import { onBothTransports } from './both-transports.ts';
import { at, type Outcome, viassh } from './run-viassh.ts';

const run = (sshd: Sshd, transport: string, ...options: string[]): Promise<Outcome> =>
  viassh(['pipe', ...options, ...at(sshd, transport), '--', 'echo no']);

onBothTransports('a port where nobody listens', async (t, transport) => {
  await using sshd = await startSshd({ mode: 'listen' });
  const { port } = sshd;
  await sshd.kill();
  assertFailure(t, await run(sshd, transport), {
    error: 'CONNECTION_REFUSED',
    says: new RegExp(`${port}`),
    hint: /port/,
  });
});

onBothTransports('a host name without an address', async (t, transport) => {
  await using sshd = await startSshd({ mode: 'listen' });
  const outcome = await run(sshd, transport, '-o', 'HostName=no-such-host.invalid');
  assertFailure(t, outcome, { error: 'HOST_NOT_FOUND', says: /no-such-host\.invalid/ });
});

for (const greeting of ['HTTP/1.1 400 Bad Request\r\n\r\n', '']) {
  onBothTransports(
    `a port of something that is not SSH (${greeting === '' ? 'says nothing and closes' : 'HTTP'})`,
    async (t, transport) => {
      await using sshd = await startSshd({ mode: 'listen' });
      const server = createServer((socket) =>
        socket
          .on('error', () => undefined)
          .resume()
          .end(greeting),
      ).listen(0, '127.0.0.1');
      await once(server, 'listening');
      const outcome = await run(sshd, transport, '-p', String((server.address() as AddressInfo).port));
      server.close();
      await once(server, 'close');
      assertFailure(t, outcome, { error: greeting === '' ? 'SERVER_CLOSED' : 'PROTOCOL_ERROR' });
    },
  );
}

onBothTransports('a server that says nothing, with ConnectTimeout', async (t, transport) => {
  await using sshd = await startSshd({ mode: 'listen' });
  const server = createServer((socket) => socket.on('error', () => undefined).resume()).listen(0, '127.0.0.1');
  await once(server, 'listening');
  const outcome = await run(
    sshd,
    transport,
    '-o',
    'ConnectTimeout=1',
    '-p',
    String((server.address() as AddressInfo).port),
  );
  server.close();
  await once(server, 'close');
  assertFailure(t, outcome, { error: 'CONNECT_TIMEOUT' });
});

onBothTransports('an option that ssh does not know, or with a bad value', async (t, transport) => {
  await using sshd = await startSshd();
  assertFailure(t, await run(sshd, transport, '-o', 'NoSuchOption=x'), {
    error: 'CONFIG_INVALID',
    says: /nosuchoption/i,
    hint: /-o/,
  });
  assertFailure(t, await run(sshd, transport, '-o', 'Port=many'), { error: 'CONFIG_INVALID', says: /port/i });
});

onBothTransports('an -F file that is not there', async (t, transport) => {
  await using sshd = await startSshd();
  const configFile = join(sshd.folder, 'no-such-config');
  assertFailure(t, await run({ ...sshd, configFile, destination: 't' }, transport), {
    error: 'CONFIG_INVALID',
    says: /no-such-config/,
  });
});

onBothTransports('a ProxyCommand that ends at once', async (t, transport) => {
  await using sshd = await startSshd();
  const outcome = await run(sshd, transport, '-o', 'ProxyCommand=exit 3');
  t.equal(outcome.code, 255);
  t.match(outcome.stderr, /^viassh: .* \((PROXY_FAILED|SERVER_CLOSED)\)\n {2}hint: .*\n$/);
});

onBothTransports('algorithms that the server does not have', async (t, transport) => {
  await using sshd = await startSshd({ config: ['Ciphers aes256-ctr'] });
  assertFailure(t, await run(sshd, transport, '-o', 'Ciphers=aes128-gcm@openssh.com'), {
    error: 'NEGOTIATION_FAILED',
    says: /cipher/i,
  });
});
