import { execFile, execFileSync } from 'node:child_process';
import { once } from 'node:events';
import { readFile } from 'node:fs/promises';
import { type Agent, createServer, get, type Server } from 'node:http';
import { createServer as createSecureServer, get as getSecurely } from 'node:https';
import { type AddressInfo, connect as dial, createServer as createTcpServer } from 'node:net';
import { join } from 'node:path';
import process from 'node:process';
import { text } from 'node:stream/consumers';
import { promisify } from 'node:util';
import { findProgram, startSshd, waitUntil } from '@viassh/testing';
import type { Test } from 'tap';
import { agentOver, connect, dispatcherOver, forwardDynamic, forwardLocal, forwardRemote } from 'viassh';
import { onBothTransports, onTransport, skipWithoutSshd } from './both-transports.ts';
import { surroundings } from './run-viassh.ts';

const noCertificate =
  skipWithoutSshd || ((await findProgram('openssl')) === undefined ? 'openssl is not installed' : false);

/** On loopback; says what was asked for, and counts who connected. */
async function listening(t: Test, server: Server): Promise<{ readonly port: number; connections(): number }> {
  let connections = 0;
  server.on('connection', () => (connections += 1));
  server.listen(0, '127.0.0.1');
  await once(server, 'listening');
  t.teardown(() => {
    server.close();
    server.closeAllConnections();
  });
  return { port: (server.address() as AddressInfo).port, connections: () => connections };
}

async function fetched(from: typeof get, url: string, options: { agent: Agent; ca?: Buffer }): Promise<string> {
  return await new Promise((resolve, reject) => {
    from(url, options, (response) => text(response).then(resolve, reject)).on('error', reject);
  });
}

onBothTransports(
  'http requests of an agent keep one channel, and see when the server ends it',
  async (t, transport) => {
    await using sshd = await startSshd();
    const server = createServer((request, response) => response.end(`${request.method} ${request.url}`));
    const { port, connections } = await listening(t, server);
    await using connection = await connect(sshd.destination, { configFile: sshd.configFile, transport });
    const { httpAgent: agent } = agentOver(connection);
    const url = `http://localhost:${port}/`;
    for (const path of ['one', 'two', 'three']) t.equal(await fetched(get, `${url}${path}`, { agent }), `GET /${path}`);
    t.equal(connections(), 1);
    server.closeIdleConnections();
    await waitUntil('the agent to see it', () => Object.keys(agent.freeSockets).length === 0);
    t.equal(await fetched(get, `${url}four`, { agent }), 'GET /four');
    t.equal(connections(), 2);
    await t.rejects(fetched(get, 'http://127.0.0.1:1/', { agent }), { code: 'CHANNEL_REFUSED' });
    agent.destroy();
  },
);

onTransport(
  'ssh2',
  'https, with the server’s certificate checked; and fetch with a dispatcher, both ways',
  async (t, transport) => {
    await using sshd = await startSshd();
    const [key, certificate] = [join(sshd.folder, 'key.pem'), join(sshd.folder, 'certificate.pem')];
    const subject = ['-subj', '/CN=localhost', '-addext', 'subjectAltName=DNS:localhost'];
    const files = ['-keyout', key, '-out', certificate];
    execFileSync('openssl', ['req', '-x509', '-newkey', 'ed25519', '-nodes', '-days', '2', ...subject, ...files], {
      stdio: 'ignore',
    });
    const ca = await readFile(certificate);
    const secure = createSecureServer({ key: await readFile(key), cert: ca }, (_, response) => response.end('secret'));
    const { port, connections } = await listening(t, secure);
    await using connection = await connect(sshd.destination, { configFile: sshd.configFile, transport });
    const { httpsAgent: agent } = agentOver(connection);
    const url = `https://localhost:${port}/`;
    for (let round = 0; round < 2; round += 1) t.equal(await fetched(getSecurely, url, { agent, ca }), 'secret');
    t.equal(connections(), 1);
    await t.rejects(fetched(getSecurely, url, { agent }), { code: /SELF_SIGNED/ });
    agent.destroy();

    const plain = await listening(
      t,
      createServer((request, response) => void text(request).then((body) => response.end(`got ${body}`))),
    );
    const gone = createTcpServer().listen(0, '127.0.0.1');
    await once(gone, 'listening');
    const nobody = (gone.address() as AddressInfo).port;
    await once(gone.close(), 'close');
    const dispatcher = await dispatcherOver(connection);
    const post = { method: 'POST', body: 'x'.repeat(100_000), dispatcher };
    for (let round = 0; round < 2; round += 1)
      t.equal(await (await fetch(`http://localhost:${plain.port}/`, post)).text(), `got ${post.body}`);
    await t.rejects(fetch(url, { dispatcher }), { cause: { code: /SELF_SIGNED/ } }, 'fetch looks at certificates, too');
    // What a process trusts beside its own list is said by a variable, when it starts.
    const program = `
      import { connect, dispatcherOver } from 'viassh';
      const [configFile, destination, url] = process.argv.slice(1);
      await using connection = await connect(destination, { configFile, transport: '${transport}' });
      const dispatcher = await dispatcherOver(connection);
      for (let round = 0; round < 2; round += 1) console.log(await (await fetch(url, { dispatcher })).text());
      await dispatcher.close();`;
    const { stdout } = await promisify(execFile)(
      process.execPath,
      ['--input-type=module', '-e', program, sshd.configFile, sshd.destination, url],
      { cwd: import.meta.dirname, env: { ...surroundings, NODE_EXTRA_CA_CERTS: certificate } },
    );
    t.equal(stdout, 'secret\nsecret\n', 'https by fetch');
    await t.rejects(fetch(`http://127.0.0.1:${nobody}/`, { dispatcher }), { cause: { code: 'CHANNEL_REFUSED' } });
    await dispatcher.close();
  },
  noCertificate,
);

onBothTransports('forwards of each kind, as functions', async (t, transport) => {
  await using sshd = await startSshd();
  const echo = createTcpServer({ allowHalfOpen: true }, (client) => client.on('error', () => undefined).pipe(client));
  echo.listen(0, '127.0.0.1');
  await once(echo, 'listening');
  t.teardown(() => echo.close());
  const to = { kind: 'tcp', host: '127.0.0.1', port: (echo.address() as AddressInfo).port } as const;
  await using connection = await connect(sshd.destination, { configFile: sshd.configFile, transport });
  await using local = await forwardLocal(connection, { listen: { kind: 'tcp', host: '127.0.0.1', port: 0 }, to });
  await using remote = await forwardRemote(connection, { listen: { kind: 'tcpip', port: 0 }, to });
  for (const { address } of [local, remote]) {
    if (!('port' in address)) throw new Error('no port was chosen');
    const client = dial(address.port, '127.0.0.1');
    client.end('there and back');
    t.equal(await text(client), 'there and back');
  }
  t.match(local.counters, { accepted: 1, refused: 0, sent: 14, received: 14 });
  const listen = { kind: 'tcp', host: '127.0.0.1', port: 0 } as const;
  await using proxy = await forwardDynamic(connection, { listen, protocol: 'http' });
  if (!('port' in proxy.address)) throw new Error('no port was chosen');
  const client = dial(proxy.address.port, '127.0.0.1');
  client.end(`CONNECT 127.0.0.1:${to.port} HTTP/1.1\r\nHost: 127.0.0.1:${to.port}\r\n\r\nthrough the proxy`);
  t.match(await text(client), /^HTTP\/1\.1 200 .*\r\n\r\nthrough the proxy$/s);
});
