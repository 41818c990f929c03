import { once } from 'node:events';
import { type AddressInfo, connect, createServer, type Socket } from 'node:net';
import type { ProxyAddress, Route } from '@viassh/core';
import { startSshd, watchLeaks } from '@viassh/testing';
import t, { type Test } from 'tap';
import { answering, connectBy, failureOf, output, routeBy } from './connect-to.ts';

t.test('the first hop through a proxy', async (t) => {
  watchLeaks(t);
  await using sshd = await startSshd({ mode: 'listen' });
  const proxy = await startHttpProxy(t, 'me', 's3cret');
  const route: Route = { ...(await routeBy({ configFile: sshd.configFile })), proxy: proxy.address };

  await t.test('asks for its password, and nothing else is other than without it', async (t) => {
    const authenticate = answering('s3cret');
    await using connection = await connectBy(route, { authenticate });
    t.equal(await output(connection, 'echo through'), 'through\n');
    t.strictSame(proxy.targets.splice(0), [`127.0.0.1:${sshd.port}`, `127.0.0.1:${sshd.port}`]);
    t.match(authenticate.prompts, [
      { kind: 'password', echo: false, text: `password for http://me@127.0.0.1:${proxy.address.port}:` },
    ]);
    t.equal(connection.info.hostKey, `ssh-ed25519 ${sshd.hostKeyFingerprint}`);
  });
  await t.test('does not ask in batch mode, and a password in the address is enough', async (t) => {
    const [hop] = route.hops;
    const authenticate = answering('s3cret');
    const batch: Route = { ...route, hops: [{ ...hop, batchMode: true }] };
    t.equal((await failureOf(connectBy(batch, { authenticate }))).code, 'AUTH_FAILED');
    t.equal(authenticate.prompts.length, 0);
    await using connection = await connectBy({ ...batch, proxy: { ...proxy.address, password: 's3cret' } });
    t.equal(await output(connection, 'echo through'), 'through\n');
  });
  await t.test('that cannot dial: PROXY_FAILED with its words', async (t) => {
    const [hop] = route.hops;
    const error = await failureOf(
      connectBy({ hops: [{ ...hop, port: 1 }], proxy: { ...proxy.address, password: 's3cret' } }),
    );
    t.match(error, { code: 'PROXY_FAILED', message: /did not reach 127\.0\.0\.1 port 1: it answered 502 no way/ });
  });
  await t.test('the second hop does not go through it', async (t) => {
    proxy.targets.length = 0;
    const [hop] = route.hops;
    await using connection = await connectBy({
      hops: [hop, hop],
      proxy: { ...proxy.address, password: 's3cret' },
    });
    t.equal(await output(connection, 'echo twice'), 'twice\n');
    t.equal(proxy.targets.length, 1);
  });
});

/** An HTTP proxy that dials what it is asked to dial, for one user. */
async function startHttpProxy(
  t: Test,
  user: string,
  password: string,
): Promise<{ address: ProxyAddress; targets: string[] }> {
  const targets: string[] = [];
  const sockets = new Set<Socket>();
  const wanted = `Basic ${Buffer.from(`${user}:${password}`).toString('base64')}`;
  const server = createServer((near) => {
    sockets.add(near.on('error', () => undefined));
    near.once('data', (chunk: Buffer) => {
      const [, host = '', port = ''] = /^CONNECT ([^:]+):(\d+) /.exec(chunk.toString()) ?? [];
      targets.push(`${host}:${port}`);
      if (!chunk.includes(wanted)) {
        near.end('HTTP/1.1 407 Who\r\nProxy-Authenticate: Basic realm=x\r\n\r\n');
        return;
      }
      const far = connect({ host, port: Number(port) });
      sockets.add(far);
      far.on('error', () => near.end('HTTP/1.1 502 no way\r\n\r\n'));
      far.once('connect', () => {
        near.write('HTTP/1.1 200 OK\r\n\r\n');
        near.pipe(far).pipe(near);
      });
      near.once('close', () => far.destroy());
    });
  }).listen(0, '127.0.0.1');
  await once(server, 'listening');
  t.teardown(() => {
    for (const socket of sockets) socket.destroy();
    server.close();
  });
  const { port } = server.address() as AddressInfo;
  return { address: { protocol: 'http', host: '127.0.0.1', port, user }, targets };
}
