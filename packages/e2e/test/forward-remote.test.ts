import { chown, mkdir } from 'node:fs/promises';
import { existsSync } from 'node:fs';
import { type AddressInfo, connect, type Socket } from 'node:net';
import { join } from 'node:path';
import { startSshd, waitUntil } from '@viassh/testing';
import { assertFailure } from './assert-failure.ts';
import { onBothTransports } from './both-transports.ts';
import { answering, answers, portOf, say, serve, startForward } from './forwarding.ts';
import { at, viassh } from './run-viassh.ts';

onBothTransports(
  '-R: each form leads where it says: ports, addresses of both families, Unix sockets at either end',
  async (t, transport) => {
    await using stack = new AsyncDisposableStack();
    const sshd = stack.use(await startSshd({ config: ['AddressFamily any', 'GatewayPorts clientspecified'] }));
    const port = async (host: string): Promise<number> =>
      ((await serve(stack, { host, port: 0 }, answering(host))).address() as AddressInfo).port;
    const [v4, v6] = [await port('127.0.0.1'), await port('::1')];
    const near = join(sshd.folder, 'near.sock');
    await serve(stack, { path: near }, answering('unix'));
    const folder = join(sshd.folder, 'far');
    await mkdir(folder);
    await chown(folder, sshd.uid, sshd.gid);
    const far = (name: string): string => join(folder, `${name}.sock`);
    const forms: readonly (readonly [form: string, reaches: string])[] = [
      [`0:127.0.0.1:${v4}`, '127.0.0.1'],
      [`127.0.0.3:0:127.0.0.1:${v4}`, '127.0.0.1'],
      [`0:[::1]:${v6}`, '::1'],
      [`[::1]:0:127.0.0.1:${v4}`, '127.0.0.1'],
      [`0:${near}`, 'unix'],
      [`${far('a')}:127.0.0.1:${v4}`, '127.0.0.1'],
      [`${far('b')}:${near}`, 'unix'],
    ];
    const args = forms.flatMap(([form]) => ['-R', form]);
    const forward = stack.use(await startForward(sshd, transport, args, { count: forms.length }));
    for (const [index, [form, reaches]] of forms.entries()) {
      const place = forward.places[index] ?? { path: 'none' };
      t.equal(await say(place, form), `${reaches}: ${form}`, `${form}: ${forward.stderr()}`);
    }
    const first = portOf(forward.places[0]);
    t.notOk(await answers({ host: '127.0.0.2', port: first }), 'without a bind address it is loopback there');
    forward.kill('SIGINT');
    t.strictSame(await forward.exit, { code: 130, signal: null });
    await waitUntil('it to listen no more there', async () => !(await answers({ host: '127.0.0.1', port: first })));
    await waitUntil('the sockets there to be gone', () => !existsSync(far('a')) && !existsSync(far('b')));
  },
);

onBothTransports('-R: an address for all, where the server lets the client say', async (t, transport) => {
  await using stack = new AsyncDisposableStack();
  const sshd = stack.use(await startSshd({ config: ['GatewayPorts clientspecified'] }));
  const echo = await serve(stack, { host: '127.0.0.1', port: 0 }, answering('near'));
  const to = `127.0.0.1:${(echo.address() as AddressInfo).port}`;
  const args = ['-R', `*:0:${to}`, '-R', `:0:${to}`, '-R', `0.0.0.0:0:${to}`];
  const forward = stack.use(await startForward(sshd, transport, args, { count: 3 }));
  for (const place of forward.places) t.equal(await say({ host: '127.0.0.2', port: portOf(place) }, 'x'), 'near: x');
});

onBothTransports(
  '-R: a server that does not allow it, and a port that is taken there, end it with the likely setting',
  async (t, transport) => {
    await using stack = new AsyncDisposableStack();
    const forbidding = stack.use(await startSshd({ config: ['PermitListen none'] }));
    const refused = await viassh(['forward', ...at(forbidding, transport), '-R', '0:127.0.0.1:1']);
    assertFailure(t, refused, { error: 'FORWARD_REFUSED', says: /port 0/, hint: /PermitListen/ });
    const sshd = stack.use(await startSshd());
    const taken = await serve(stack, { host: '127.0.0.1', port: 0 }, answering('somebody else'));
    const { port } = taken.address() as AddressInfo;
    const inUse = await viassh(['forward', ...at(sshd, transport), '-R', `${port}:127.0.0.1:1`]);
    assertFailure(t, inUse, { error: 'FORWARD_REFUSED', says: new RegExp(`port ${port}`), hint: /in use/ });
  },
);

onBothTransports(
  '-R: a target here that refuses ends that client alone, and the forward goes on',
  async (t, transport) => {
    await using stack = new AsyncDisposableStack();
    const sshd = stack.use(await startSshd());
    const echo = await serve(stack, { host: '127.0.0.1', port: 0 }, answering('near'));
    const args = ['-R', '0:127.0.0.1:1', '-R', `0:127.0.0.1:${(echo.address() as AddressInfo).port}`];
    const forward = stack.use(await startForward(sshd, transport, args, { count: 2 }));
    const [bad, good] = forward.places;
    for (let round = 0; round < 3; round += 1) {
      const said = await say(bad ?? { path: '' }, 'anybody?').catch((error: NodeJS.ErrnoException) => error.code);
      t.match(String(said), /^(ECONNRESET|EPIPE|)$/, 'it hears nothing');
      t.equal(await say(good ?? { path: '' }, 'x'), 'near: x');
    }
    await waitUntil('the reason to be said', () => /127\.0\.0\.1(:| port )1\b/.test(forward.stderr()));
  },
);

onBothTransports(
  '-R: a socket file that a dead server left there is explained, or taken away when it is ours',
  async (t, transport) => {
    await using stack = new AsyncDisposableStack();
    const sshd = stack.use(await startSshd({ mode: 'listen' }));
    const folder = join(sshd.folder, 'far');
    await mkdir(folder);
    await chown(folder, sshd.uid, sshd.gid);
    const path = join(folder, 'stale.sock');
    const echo = await serve(stack, { host: '127.0.0.1', port: 0 }, answering('near'));
    const args = ['-R', `${path}:127.0.0.1:${(echo.address() as AddressInfo).port}`];
    const stranger = await serve(stack, { path }, answering('somebody else'));
    const outcome = await viassh(['forward', ...at(sshd, transport), ...args]);
    assertFailure(t, outcome, { error: 'FORWARD_REFUSED', says: /stale\.sock/, hint: /StreamLocalBindUnlink/ });
    t.equal(await say({ path }, 'x'), 'somebody else: x', 'what somebody listens on is left alone');
    stranger.close();
  },
);

onBothTransports(
  '-R: a process that may open no more files says so once, and serves again as soon as it may',
  async (t, transport) => {
    await using stack = new AsyncDisposableStack();
    const sshd = stack.use(await startSshd());
    const target = await serve(stack, { host: '127.0.0.1', port: 0 }, (socket) => void socket.pipe(socket));
    const args = ['-R', `0:127.0.0.1:${(target.address() as AddressInfo).port}`];
    const forward = stack.use(await startForward(sshd, transport, args, { shell: 'ulimit -n 96; exec "$@"' }));
    const place = { host: '127.0.0.1', port: portOf(forward.places[0]) };
    const clients = Array.from({ length: 120 }, () => connect(place).on('error', () => undefined));
    stack.defer(() => {
      for (const client of clients) client.destroy();
    });
    const served = await Promise.all(clients.map((client) => isServed(client)));
    t.ok(served.includes(false) && served.includes(true), 'some are served, some are not');
    await waitUntil('the limit to be said', () => forward.stderr().includes('ulimit -n'));
    t.match(forward.stderr(), /TOO_MANY_CLIENTS/);
    t.equal(forward.stderr().match(/warning/g)?.length, 1, forward.stderr());
    for (const client of clients) client.destroy();
    await waitUntil('it to serve again', async () => (await say(place, 'again').catch(() => '')) === 'again');
  },
);

/** Whether a byte comes back, or the connection ends. */
async function isServed(client: Socket): Promise<boolean> {
  client.write('x');
  return await new Promise((resolve) => {
    client.once('data', () => resolve(true)).once('close', () => resolve(false));
  });
}
