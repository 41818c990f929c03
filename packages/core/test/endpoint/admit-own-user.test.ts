import { type ChildProcess, spawn } from 'node:child_process';
import { once } from 'node:events';
import { existsSync } from 'node:fs';
import { type AddressInfo, connect, createServer, type Server, type Socket } from 'node:net';
import process from 'node:process';
import t, { type Test } from 'tap';
import { admitOwnUser } from '@viassh/core';

const skip = !existsSync('/proc/net/tcp') && 'no /proc/net/tcp on this system';
const skipUnlessRoot = skip || (process.getuid?.() !== 0 && 'only root can be another user');
const nobody = 65_534;

async function listenOn(t: Test, host: string): Promise<Server> {
  const server = createServer({ allowHalfOpen: true });
  await once(server.listen(0, host), 'listening');
  t.teardown(() => void server.close());
  return server;
}

/** A client on the listener's side. */
async function accepted(t: Test, server: Server): Promise<Socket> {
  const [client] = (await once(server, 'connection')) as [Socket];
  t.teardown(() => void client.on('error', () => undefined).destroy());
  return client;
}

const portOf = (server: Server): number => (server.address() as AddressInfo).port;

for (const [listens, dials] of [
  ['127.0.0.1', '127.0.0.1'],
  ['::1', '::1'],
  ['::', '127.0.0.1'],
  ['127.0.0.1', '::ffff:127.0.0.1'],
] as const) {
  t.test(`a client of our own is admitted: ${dials} to ${listens}`, { skip }, async (t) => {
    const server = await listenOn(t, listens);
    const client = connect(portOf(server), dials);
    t.teardown(() => void client.destroy());
    const warnings: string[] = [];
    await admitOwnUser({ warning: (text) => void warnings.push(text) })(await accepted(t, server));
    t.strictSame(warnings, []);
  });
}

t.test(
  'a client of another user is turned away, while it is connected and after it has gone',
  { skip: skipUnlessRoot },
  async (t) => {
    const server = await listenOn(t, '127.0.0.1');
    const admit = admitOwnUser({ warning: (text) => t.fail(text) });
    const stays = asNobody(t, `exec 3<>/dev/tcp/127.0.0.1/${portOf(server)}; read -r line`);
    await t.rejects(admit(await accepted(t, server)), { code: 'CLIENT_REFUSED', message: /uid 65534/ });
    stays.stdin?.end();
    await once(stays, 'exit');
    const shuts = asNobody(t, `exec 3<>/dev/tcp/127.0.0.1/${portOf(server)}; printf 'a LOGOUT' >&3`);
    const client = await accepted(t, server);
    await once(shuts, 'exit');
    await t.rejects(
      admit(client),
      { code: 'CLIENT_REFUSED', message: /gone/ },
      'its socket is nobody’s by now, and looks like root’s',
    );
  },
);

t.test('whose client it is cannot be told: one warning for all', async (t) => {
  const warnings: string[] = [];
  const admit = admitOwnUser({ warning: (text) => void warnings.push(text) });
  // RFC 5737: an address of another machine, for which no row can be there.
  const foreign = { localAddress: '192.0.2.1', localPort: 143, remoteAddress: '192.0.2.9', remotePort: 4711 } as Socket;
  await admit(foreign);
  await admit(foreign);
  t.equal(warnings.length, 1);
});

function asNobody(t: Test, script: string): ChildProcess {
  const child = spawn('bash', ['-c', script], {
    uid: nobody,
    gid: nobody,
    cwd: '/',
    stdio: ['pipe', 'ignore', 'inherit'],
  });
  t.teardown(() => void child.kill('SIGKILL'));
  return child;
}
