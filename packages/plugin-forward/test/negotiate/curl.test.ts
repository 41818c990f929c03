import { execFile } from 'node:child_process';
import { once } from 'node:events';
import { createServer as createHttpServer } from 'node:http';
import { type AddressInfo, connect, createServer, type Server, type Socket } from 'node:net';
import { type ChannelOpening, channelRefused, isViasshError, openFailure, toViasshError } from '@viassh/core';
import { findProgram } from '@viassh/testing';
import t, { type Test } from 'tap';
import { parseDestinationRule } from '../../src/negotiate/destination-rules.ts';
import { negotiate, type NegotiateOptions } from '../../src/negotiate/negotiate.ts';
import { parseSocksUsers } from '../../src/negotiate/proxy-users.ts';
import type { TcpTarget } from '../../src/negotiate/talk.ts';

const curl = await findProgram('curl');
const skip = curl === undefined ? 'curl is not installed (apt-get install curl)' : false;

interface Proxy {
  readonly port: number;
  /** What clients asked for, as they said it. */
  readonly asked: string[];
  /** The codes of errors. */
  readonly errors: string[];
}

/** A proxy that dials 127.0.0.1 for the name far.test, as a far end that knows it would. */
async function startProxy(t: Test, protocol: 'socks' | 'http', options: NegotiateOptions = {}): Promise<Proxy> {
  const proxy = { asked: [] as string[], errors: [] as string[] };
  const serve = async (client: Socket): Promise<void> => {
    client.on('error', () => undefined);
    try {
      const { target, accepted, refused } = await negotiate(client, protocol, options);
      proxy.asked.push(`${target.host}:${target.port}`);
      const host = target.host === 'far.test' ? '127.0.0.1' : target.host;
      const far = connect({ host, port: target.port, allowHalfOpen: true });
      far.on('error', () => refused(channelRefused(toPort(target), openFailure.connectFailed, 'Connection refused')));
      await once(far, 'connect');
      accepted({ address: '127.0.0.1', port: far.localPort ?? 0 });
      client.pipe(far).pipe(client);
    } catch (error) {
      proxy.errors.push(isViasshError(error) ? error.code : toViasshError(error).message);
      client.resume();
    }
  };
  const port = await listenOn(
    t,
    createServer({ allowHalfOpen: true }, (client) => void serve(client)),
  );
  return { port, ...proxy };
}

function toPort({ host, port }: TcpTarget): ChannelOpening {
  return { type: 'direct-tcpip', host, port };
}

async function listenOn(t: Test, server: Server, host = '127.0.0.1'): Promise<number> {
  const open = new Set<Socket>();
  server.on('connection', (socket) => {
    open.add(socket);
    socket.once('close', () => open.delete(socket));
  });
  server.listen(0, host);
  await once(server, 'listening');
  t.teardown(async () => {
    server.close();
    for (const socket of open) socket.destroy();
    await once(server, 'close');
  });
  return (server.address() as AddressInfo).port;
}

function startPage(t: Test, host?: string): Promise<number> {
  return listenOn(
    t,
    createHttpServer((_, response) => response.end('the page')),
    host,
  );
}

async function get(...args: readonly string[]): Promise<{ code: number; text: string; errors: string }> {
  return await new Promise((resolve) => {
    execFile(String(curl), ['-qsS', '--max-time', '20', ...args], { env: {} }, (error, text, errors) =>
      resolve({ code: Number(error?.code ?? 0), text, errors }),
    );
  });
}

t.test(
  'curl gets its page by every version of SOCKS, with names left to the far end by 4a and 5h',
  { skip },
  async (t) => {
    const page = await startPage(t);
    const proxy = await startProxy(t, 'socks');
    const at = `127.0.0.1:${proxy.port}`;
    t.match(await get('-x', `socks4://${at}`, `http://127.0.0.1:${page}/`), { code: 0, text: 'the page' });
    t.match(await get('-x', `socks4a://${at}`, `http://far.test:${page}/`), { code: 0, text: 'the page' });
    t.match(await get('-x', `socks5://${at}`, `http://127.0.0.1:${page}/`), { code: 0, text: 'the page' });
    t.match(await get('-x', `socks5h://${at}`, `http://FAR.test:${page}/`), { code: 0, text: 'the page' });
    t.strictSame(
      proxy.asked,
      ['127.0.0.1', 'far.test', '127.0.0.1', 'far.test'].map((host) => `${host}:${page}`),
    );
    t.strictSame(proxy.errors, []);
  },
);

t.test('curl gets its page by an address of IPv6, over SOCKS 5 and CONNECT', { skip }, async (t) => {
  const page = await startPage(t, '::1');
  for (const [protocol, scheme] of [
    ['socks', 'socks5'],
    ['http', 'http'],
  ] as const) {
    const proxy = await startProxy(t, protocol);
    const answer = await get('-p', '-x', `${scheme}://127.0.0.1:${proxy.port}`, `http://[::1]:${page}/`);
    t.match(answer, { code: 0, text: 'the page' }, protocol);
    t.strictSame(proxy.asked, [`::1:${page}`]);
  }
});

t.test('with users, curl gets its page by user and password, and not by others or none', { skip }, async (t) => {
  const page = await startPage(t);
  const users = parseSocksUsers('anna:s3cret:with colon\n');
  const url = `http://far.test:${page}/`;
  for (const [protocol, scheme, refusal] of [
    ['socks', 'socks5h', /97/],
    ['http', 'http', /7|22|56/],
  ] as const) {
    const proxy = await startProxy(t, protocol, { users });
    const way = ['-p', '-x', `${scheme}://127.0.0.1:${proxy.port}`] as const;
    t.match(await get(...way, '-U', 'anna:s3cret:with colon', url), { code: 0, text: 'the page' }, protocol);
    t.match(await get(...way, '-U', 'anna:wrong', url), { code: refusal, text: '' }, protocol);
    t.match(await get(...way, url), { code: refusal, text: '' }, protocol);
    t.strictSame(proxy.errors, ['CLIENT_LOGIN_FAILED', 'CLIENT_LOGIN_FAILED'], protocol);
    t.strictSame(proxy.asked, [`far.test:${page}`], protocol);
  }
  const proxy = await startProxy(t, 'socks', { users });
  t.match(await get('-x', `socks4a://anna@127.0.0.1:${proxy.port}`, url), { code: 97 });
  t.strictSame(proxy.errors, ['CLIENT_LOGIN_FAILED']);
});

t.test('curl is told 407 and then logs in, when it is to find out what the proxy wants', { skip }, async (t) => {
  const page = await startPage(t);
  const proxy = await startProxy(t, 'http', { users: new Map([['anna', 'secret']]) });
  const way = ['-p', '-x', `http://127.0.0.1:${proxy.port}`, '--proxy-anyauth', '-U', 'anna:secret'] as const;
  t.match(await get(...way, `http://far.test:${page}/`), { code: 0, text: 'the page' });
  t.strictSame(proxy.errors, ['CLIENT_LOGIN_FAILED']);
});

t.test(
  'curl tells what the proxy says: forbidden by a rule, not reached, no method but CONNECT',
  { skip },
  async (t) => {
    const page = await startPage(t);
    const deny = [parseDestinationRule('*.secret.test'), parseDestinationRule('127.0.0.0/8:1-1023')];
    const proxy = await startProxy(t, 'http', { rules: { deny } });
    const way = ['-x', `http://127.0.0.1:${proxy.port}`] as const;
    const denied = await get('-p', ...way, `http://db.secret.test:${page}/`);
    t.match(denied.errors, /CONNECT tunnel failed, response 403/);
    t.match((await get('-p', ...way, 'http://far.test:1/')).errors, /CONNECT tunnel failed, response 502/);
    t.match(await get(...way, '-o', '/dev/null', '-w', '%{http_code}', `http://far.test:${page}/`), { text: '405' });
    t.match(await get('-p', ...way, `http://far.test:${page}/`), { code: 0, text: 'the page' });
  },
);

t.test('curl tells what SOCKS says: forbidden by a rule, not reached', { skip }, async (t) => {
  const proxy = await startProxy(t, 'socks', { rules: { allow: [parseDestinationRule('far.test')] } });
  const way = ['-x', `socks5h://127.0.0.1:${proxy.port}`] as const;
  t.match((await get(...way, 'http://other.test/')).errors, /\(2\)/);
  t.match((await get(...way, 'http://far.test:1/')).errors, /\(5\)/);
  t.match((await get('-x', `socks4a://127.0.0.1:${proxy.port}`, 'http://other.test/')).errors, /\(91\)/);
});

t.test('a client set to HTTP that meets SOCKS, and the other way round, hears of it at once', { skip }, async (t) => {
  const socks = await startProxy(t, 'socks');
  const http = await startProxy(t, 'http');
  t.match(await get('-x', `http://127.0.0.1:${socks.port}`, 'http://far.test/'), { text: /SOCKS proxy/ });
  t.match(await get('-x', `socks5h://127.0.0.1:${http.port}`, 'http://far.test/'), { code: 97 });
  t.strictSame([...socks.errors, ...http.errors], ['CLIENT_PROTOCOL', 'CLIENT_PROTOCOL']);
});
