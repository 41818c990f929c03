import { once } from 'node:events';
import { mkdtemp, readdir, readFile, rm } from 'node:fs/promises';
import { type AddressInfo, createServer } from 'node:net';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { PassThrough, Writable } from 'node:stream';
import {
  type AuthenticationPrompt,
  type Connection,
  type ConnectOptions,
  type ProxyAddress,
  type ResolvedDestination,
  type Route,
  silentLogger,
  verifyByKnownHosts,
} from '@viassh/core';
import { createProgramRunner } from '@viassh/program';
import { listProcesses, missingForSshd, watchLeaks } from '@viassh/testing';
import { createOpensshTransport } from '@viassh/transport-openssh';
import t from 'tap';
import { failureOf, outputOf, startChain } from './chain.ts';
import { dialProxyWire } from '../../src/master/proxy-wire.ts';
import { startProxyServer } from './proxy-server.ts';

const runtimeFolder = await mkdtemp(join(tmpdir(), 'viassh-w-'));
t.teardown(() => rm(runtimeFolder, { recursive: true, force: true }));
const transport = createOpensshTransport({ programs: createProgramRunner(), runtimeFolder });
const skip = (await missingForSshd()) ?? false;
const login = { user: 'me', password: 'open sesame' };
const MEBIBYTE = 1024 * 1024;

const connectBy = (
  { hops }: Route,
  proxy: ProxyAddress,
  overrides: Partial<ConnectOptions> = {},
): Promise<Connection> =>
  transport.connect({ hops, proxy }, { verifyHostKey: verifyByKnownHosts, log: silentLogger, ...overrides });

t.test('a proxy before the first hop', { skip }, async (t) => {
  await watchLeaks(t, { folders: [runtimeFolder] });
  await using chain = await startChain({}, {});
  const { route, sshds } = chain;
  const port = sshds[0]?.port;

  for (const protocol of ['socks5', 'http'] as const) {
    await t.test(
      `${protocol}: only the first hop is dialled by it; what came with its answer is not lost`,
      async (t) => {
        await using proxy = await startProxyServer({ protocol });
        await using connection = await connectBy(route, proxy.address);
        t.equal(await outputOf(connection, 'id -un'), `${sshds[1]?.user}\n`);
        t.strictSame(proxy.asked, [`127.0.0.1:${port}`]);
        const size = (await outputOf(connection, `head -c ${8 * MEBIBYTE} /dev/zero`)).length;
        t.equal(size, 8 * MEBIBYTE, 'under load');
      },
    );

    await t.test(`${protocol}: a password that is missing is asked for, and shown to nobody`, async (t) => {
      await using proxy = await startProxyServer({ protocol, login });
      const prompts: AuthenticationPrompt[] = [];
      const ask = async (prompt: AuthenticationPrompt): Promise<string> => {
        prompts.push(prompt);
        return login.password;
      };
      const lines: string[] = [];
      const log = {
        ...silentLogger,
        debug: (line: string) => lines.push(line),
        info: (line: string) => lines.push(line),
      };
      const address = { ...proxy.address, user: 'me' };
      await using connection = await connectBy(route, address, { authenticate: { ask }, log });
      t.equal(await outputOf(connection, 'echo in'), 'in\n');
      t.match(prompts, [{ kind: 'password', text: `password for ${protocol}://me@127.0.0.1`, echo: false }]);
      const own = (await listProcesses()).filter(({ command }) => command.includes(runtimeFolder));
      t.ok(own.length >= 2, 'keepers and masters');
      const environments = await Promise.all(
        own.map(({ pid }) => readFile(`/proc/${pid}/environ`, 'latin1').catch(() => '')),
      );
      const shown = [...lines, ...own.map(({ command }) => command), ...environments];
      t.notOk(shown.some((text) => text.includes(login.password)));
    });

    await t.test(`${protocol}: a wrong password, and a proxy that reaches nothing`, async (t) => {
      await using proxy = await startProxyServer({ protocol, login });
      const refused = await failureOf(connectBy(route, { ...proxy.address, user: 'me', password: 'wrong' }));
      t.match(refused, { code: 'AUTH_FAILED', message: 'refused the user or the password' });
      t.notMatch(refused.message, 'wrong');
      const [first, second] = route.hops;
      const hops = [{ ...first, port: 1 }, second] as unknown as Route['hops'];
      const error = await failureOf(connectBy({ hops }, { ...proxy.address, ...login }));
      t.match(error, { code: 'PROXY_FAILED', message: 'did not reach 127.0.0.1 port 1: ' });
      t.ok(error.hint);
      t.strictSame(await readdir(runtimeFolder), []);
    });
  }

  await t.test('ConnectTimeout and an abort end the wait for it', async (t) => {
    await using proxy = await startProxyServer({ protocol: 'socks5', silent: true });
    const [first, second] = route.hops;
    const hops = [{ ...first, connectTimeout: 1 }, second] as unknown as Route['hops'];
    t.match(await failureOf(connectBy({ hops }, proxy.address)), { code: 'CONNECT_TIMEOUT', message: 'within 1 s' });
    const controller = new AbortController();
    const connecting = connectBy(route, proxy.address, { signal: controller.signal });
    controller.abort();
    t.equal((await failureOf(connecting)).code, 'ABORTED');
  });

  await t.test('a proxy that goes away is a connection that is lost', async (t) => {
    await using connection = await (async () => {
      await using proxy = await startProxyServer({ protocol: 'http' });
      return await connectBy(route, proxy.address);
    })();
    t.match(await connection.closed, {
      kind: 'lost',
      error: { code: 'CONNECTION_LOST', message: `connection lost: the jump host ${sshds[0]?.user}@` },
    });
  });
});

t.test('what the far end said before it closed reaches an ssh that is slow, and its end behind it', async (t) => {
  const said = Buffer.alloc(300_000, 's');
  await using far = await endAfter(said);
  await using proxy = await startProxyServer({ protocol: 'socks5' });
  const hop = { hostName: '127.0.0.1', port: far.port, raw: new Map() } as unknown as ResolvedDestination;
  const wire = await dialProxyWire(proxy.address, hop, {});
  t.teardown(() => wire.close());
  let taken = 0;
  const ended = Promise.withResolvers<void>();
  const toSsh = new Writable({
    write: (chunk: Buffer, _encoding, done) => {
      afterTurns(50, () => {
        taken += chunk.length;
        done();
      });
    },
    final: (done) => (ended.resolve(), done()),
    destroy: (error, done) => (ended.resolve(), done(error)),
  });
  const fromSsh = new PassThrough();
  wire.join(fromSsh, toSsh);
  await ended.promise;
  t.equal(taken, said.length);
  await new Promise((written) => fromSsh.write(Buffer.alloc(200_000), written)); // nobody there, and no writer stuck
  fromSsh.destroy();
});

function afterTurns(count: number, callback: () => void): void {
  setImmediate(() => (count > 1 ? afterTurns(count - 1, callback) : callback()));
}

/** A server that says one thing to whoever connects, and closes. */
async function endAfter(said: Buffer): Promise<{ readonly port: number } & AsyncDisposable> {
  const server = createServer((socket) => void socket.on('error', () => undefined).end(said)).listen(0, '127.0.0.1');
  await once(server, 'listening');
  return {
    port: (server.address() as AddressInfo).port,
    async [Symbol.asyncDispose]() {
      server.close();
      await once(server, 'close');
    },
  };
}
