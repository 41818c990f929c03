import { spawn } from 'node:child_process';
import { once } from 'node:events';
import { writeFile } from 'node:fs/promises';
import { type AddressInfo, connect, createServer } from 'node:net';
import { join } from 'node:path';
import { setTimeout as delay } from 'node:timers/promises';
import { dialThroughProxy, type ProxyAddress } from '@viassh/core';
import t, { type Test } from 'tap';
import { isMissing } from '../find-program.ts';
import { scratchFolder } from '../scratch-folder.ts';
import { readText, startScriptedServer } from './scripted-server.ts';

const { signal } = new AbortController();
const target = { host: 'far.example', port: 22 };
const protocols = ['socks5', 'http'] as const;

t.test('the proxy itself cannot be reached', async (t) => {
  const closed = createServer().listen(0, '127.0.0.1');
  await once(closed, 'listening');
  const { port } = closed.address() as AddressInfo;
  closed.close();
  await once(closed, 'close');
  for (const protocol of protocols) {
    await t.rejects(
      dialThroughProxy({ protocol, host: '127.0.0.1', port, user: 'u', password: 's3' }, target, { signal }),
      {
        code: 'CONNECTION_REFUSED',
        message: `the proxy ${protocol}://u@127.0.0.1:${port} cannot be reached: nothing listens there`,
      },
    );
    await t.rejects(dialThroughProxy({ protocol, host: 'no-such-host.invalid', port }, target, { signal }), {
      code: 'HOST_NOT_FOUND',
      hint: /proxy/,
    });
    await t.rejects(
      dialThroughProxy({ protocol, host: '::1', port }, target, { signal, bindAddress: '127.0.0.1' }),
      { code: 'HOST_UNREACHABLE' },
      'the address to bind is heeded',
    );
  }
});

t.test('an abort ends it at once, whatever it waits for', async (t) => {
  for (const protocol of protocols) {
    const controller = new AbortController();
    const server = await startScriptedServer(t, async (peer) => {
      await peer.bytes(1);
      controller.abort();
    });
    const dialled = dialThroughProxy({ protocol, host: '127.0.0.1', port: server.port }, target, controller);
    await t.rejects(dialled, { code: 'ABORTED' }, 'in the middle of the talk');
    await server.peers[0]?.closed;
    const again = dialThroughProxy({ protocol, host: '127.0.0.1', port: server.port }, target, controller);
    await t.rejects(again, { code: 'ABORTED' }, 'before the dial');
    t.equal(server.peers.length, 1);
  }
  const controller = new AbortController();
  const asking = await startScriptedServer(t, async (peer) => {
    await peer.bytes(4);
    peer.send(5, 2);
  });
  const askPassword = (): Promise<string> => {
    controller.abort();
    return new Promise(() => undefined);
  };
  const proxy = { protocol: 'socks5', host: '127.0.0.1', port: asking.port, user: 'u' } as const;
  await t.rejects(dialThroughProxy(proxy, target, { signal: controller.signal, askPassword }), { code: 'ABORTED' });
  await asking.peers[0]?.closed;
});

t.test('names that mean something else to the proxy than to us are refused before the dial', async (t) => {
  const server = await startScriptedServer(t, () => undefined);
  for (const protocol of protocols) {
    const proxy: ProxyAddress = { protocol, host: '127.0.0.1', port: server.port };
    for (const host of ['x\r\nEvil: y', 'a b', '', '-x'])
      await t.rejects(dialThroughProxy(proxy, { host, port: 22 }, { signal }), { code: 'DESTINATION_INVALID' });
    await t.rejects(dialThroughProxy(proxy, { host: 'fe80::1%eth0', port: 22 }, { signal }), {
      code: 'OPTION_INVALID',
    });
  }
  t.equal(server.peers.length, 0);
});

t.test('an error after the dial that nobody hears is no crash', async (t) => {
  const server = await startScriptedServer(t, async (peer) => {
    await peer.header();
    peer.send('HTTP/1.1 200 OK\r\n\r\n');
  });
  const socket = await dialThroughProxy({ protocol: 'http', host: '127.0.0.1', port: server.port }, target, { signal });
  server.peers[0]?.socket.resetAndDestroy();
  socket.resume();
  await new Promise((resolve) => void socket.once('close', resolve));
});

t.test('microsocks', { skip: isMissing('microsocks') }, async (t) => {
  const port = await freePort();
  await startProxy(t, port, 'microsocks', '-i', '127.0.0.1', '-p', String(port), '-u', 'me', '-P', 'secret');
  await meetsRealProxy(t, { protocol: 'socks5', host: '127.0.0.1', port, user: 'me', password: 'secret' });
});

t.test('tinyproxy', { skip: isMissing('tinyproxy') }, async (t) => {
  const port = await freePort();
  const folder = await scratchFolder(t);
  const config = join(folder, 'tinyproxy.conf');
  const lines = [
    `Port ${port}`,
    'Listen 127.0.0.1',
    'Timeout 60',
    `PidFile "${join(folder, 'pid')}"`,
    'LogLevel Critical',
  ];
  await writeFile(config, `${[...lines, 'BasicAuth me secret'].join('\n')}\n`);
  await startProxy(t, port, 'tinyproxy', '-d', '-c', config);
  await meetsRealProxy(t, { protocol: 'http', host: '127.0.0.1', port, user: 'me', password: 'secret' });
});

async function meetsRealProxy(t: Test, proxy: ProxyAddress): Promise<void> {
  const far = await startScriptedServer(t, (peer) => peer.echo());
  for (const host of ['127.0.0.1', 'localhost']) {
    const socket = await dialThroughProxy(proxy, { host, port: far.port }, { signal });
    socket.write('there and back');
    t.equal(await readText(socket, 14), 'there and back', host);
    socket.destroy();
  }
  await Promise.all(far.peers.map(({ closed }) => closed));
  await t.rejects(
    dialThroughProxy({ ...proxy, password: 'wrong' }, { host: '127.0.0.1', port: far.port }, { signal }),
    {
      code: 'AUTH_FAILED',
    },
  );
  await t.rejects(dialThroughProxy({ ...proxy, user: undefined }, { host: '127.0.0.1', port: far.port }, { signal }), {
    code: 'AUTH_FAILED',
  });
  await t.rejects(dialThroughProxy(proxy, { host: '127.0.0.1', port: await freePort() }, { signal }), {
    code: 'PROXY_FAILED',
  });
}

async function startProxy(t: Test, port: number, file: string, ...args: string[]): Promise<void> {
  const child = spawn(file, args, { stdio: 'ignore' });
  const gone = once(child, 'exit');
  t.teardown(async () => {
    child.kill('SIGKILL');
    await gone;
  });
  while (!(await answers(port))) await delay(10);
}

async function answers(port: number): Promise<boolean> {
  const socket = connect({ host: '127.0.0.1', port });
  const outcome = await Promise.race([
    once(socket, 'connect').then(() => true),
    new Promise<boolean>((resolve) => void socket.once('error', () => resolve(false))),
  ]).catch(() => false);
  socket.destroy();
  return outcome;
}

async function freePort(): Promise<number> {
  const server = createServer().listen(0, '127.0.0.1');
  await once(server, 'listening');
  const { port } = server.address() as AddressInfo;
  server.close();
  await once(server, 'close');
  return port;
}
