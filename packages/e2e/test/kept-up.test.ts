import { once } from 'node:events';
import { writeFile } from 'node:fs/promises';
import { type AddressInfo, connect, createServer, type Server } from 'node:net';
import { join } from 'node:path';
import { type Sshd, startSshd, waitUntil } from '@viassh/testing';
import { assertFailure } from './assert-failure.ts';
import { onBothTransports, onTransport } from './both-transports.ts';
import { cutSessions } from './cut-sessions.ts';
import { answering, answers, type Place, say, serve, startForward } from './forwarding.ts';
import { overhear } from './overheard.ts';
import { at, startViassh, viassh } from './run-viassh.ts';

onBothTransports(
  'the sshd session is killed: forwards of both directions serve again at their places',
  async (t, transport) => {
    await using stack = new AsyncDisposableStack();
    const sshd = stack.use(await startSshd({ mode: 'listen' }));
    const far = await serve(stack, { host: '127.0.0.1', port: 0 }, answering('far'));
    const to = `127.0.0.1:${(far.address() as AddressInfo).port}`;
    const forward = stack.use(await startForward(sshd, transport, ['-L', `0:${to}`, '-R', `0:${to}`], { count: 2 }));
    const [local, remote] = forward.places as [Place, Place];
    for (let round = 1; round <= 2; round += 1) {
      t.equal(await say(local, 'one'), 'far: one');
      t.equal(await say(remote, 'two'), 'far: two');
      t.ok((await cutSessions(sshd)) > 0);
      t.equal(await say(local, 'at once'), 'far: at once', 'who comes meanwhile waits');
      await waitUntil('the remote forward to stand again', () => answers(remote), { withinMs: 20_000 });
    }
    t.equal(await say(remote, 'again'), 'far: again');
    t.match(forward.stderr(), /CONNECTION_LOST/, 'each loss is told');
    t.equal(forward.said().match(/^listening /gm)?.length, 2, 'and nobody listens anew');
    forward.kill('SIGTERM');
    t.strictSame(await forward.exit, { code: 143, signal: null });
    t.notOk(await answers(local));
  },
);

/** What leads from a port of our choice to sshd. */
async function openWay(stack: AsyncDisposableStack, port: number, sshd: Sshd): Promise<Server> {
  return await serve(stack, { host: '127.0.0.1', port }, (socket) => {
    const far = connect({ host: '127.0.0.1', port: sshd.port, allowHalfOpen: true });
    far.on('error', () => socket.destroy()).once('close', () => socket.destroy());
    socket.once('close', () => far.destroy());
    socket.pipe(far).pipe(socket);
  });
}

async function closedPort(): Promise<number> {
  const server = createServer().listen(0, '127.0.0.1');
  await once(server, 'listening');
  const { port } = server.address() as AddressInfo;
  server.close();
  await once(server, 'close');
  return port;
}

onBothTransports('a first failure is final; with --keep-trying it is none where it may pass', async (t, transport) => {
  await using stack = new AsyncDisposableStack();
  const sshd = stack.use(await startSshd({ mode: 'listen' }));
  const port = await closedPort();
  const args = ['forward', ...at(sshd, transport), '-p', String(port), '-D', '0'];
  const once = await viassh(args);
  assertFailure(t, once, { error: 'CONNECTION_REFUSED' });
  const running = stack.use(startViassh([...args, '--keep-trying', '--json'], { stdin: 'ignore' }));
  const stdout = overhear(running.stdout);
  await waitUntil('it to try', () => running.stderr().includes('CONNECTION_REFUSED'), { withinMs: 20_000 });
  t.equal(stdout.text(), '', 'nobody is told that it listens before it can serve');
  await openWay(stack, port, sshd);
  running.kill('SIGUSR1'); // now, and not when the wait is over
  await stdout.until(/"event":"listening"/);
  running.kill('SIGTERM');
  t.strictSame(await running.exit, { code: 143, signal: null });
});

onBothTransports('--keep-trying does not try again what somebody has to correct', async (t, transport) => {
  await using sshd = await startSshd({ mode: 'listen', knownHosts: 'changed' });
  const outcome = await viassh(['forward', ...at(sshd, transport), '-D', '0', '--keep-trying']);
  assertFailure(t, outcome, { error: 'HOST_KEY_CHANGED' });
});

onBothTransports('a host key that is not known any more ends it, with the reason', async (t, transport) => {
  await using stack = new AsyncDisposableStack();
  const sshd = stack.use(await startSshd({ mode: 'listen' }));
  const near = join(sshd.folder, 'near.sock');
  const forward = stack.use(await startForward(sshd, transport, ['-L', `${near}:127.0.0.1:1`]));
  await writeFile(sshd.knownHostsFile, '');
  await cutSessions(sshd);
  t.strictSame(await forward.exit, { code: 255, signal: null });
  t.match(forward.stderr(), /\(HOST_KEY_UNKNOWN\)/);
  t.notOk(await answers({ path: near }));
});

onBothTransports(
  'while it waits: the table and --json say for what, who comes waits, and SIGTERM ends it at once',
  async (t, transport) => {
    await using stack = new AsyncDisposableStack();
    const sshd = stack.use(await startSshd({ mode: 'listen' }));
    const far = await serve(stack, { host: '127.0.0.1', port: 0 }, answering('far'));
    const to = `127.0.0.1:${(far.address() as AddressInfo).port}`;
    const running = stack.use(
      startViassh(['forward', ...at(sshd, transport), '-L', `0:${to}`, '--json'], { stdin: 'ignore' }),
    );
    const stdout = overhear(running.stdout);
    const port = Number(/"port":(\d+)/.exec(await stdout.until(/"listening".*\n/))?.[1]);
    await sshd.kill(); // the listener, too
    await stdout.until(/"event":"connection","state":"waiting".*"code":"CONNECTION_REFUSED"/);
    const client = connect({ host: '127.0.0.1', port });
    stack.defer(() => void client.destroy());
    await once(client, 'connect');
    running.kill('SIGUSR1');
    await stdout.until(/"event":"status","connection":\{"state":"(?:waiting|connecting)".*"forwards":\[/);
    running.kill('SIGTERM');
    t.strictSame(await running.exit, { code: 143, signal: null });
  },
);

onTransport('ssh2', 'while it is down, who comes waits as long as --wait says, and is turned away', async (t) => {
  await using stack = new AsyncDisposableStack();
  const sshd = stack.use(await startSshd({ mode: 'listen' }));
  const far = await serve(stack, { host: '127.0.0.1', port: 0 }, answering('far'));
  const to = `127.0.0.1:${(far.address() as AddressInfo).port}`;
  const forwards = await Promise.all(
    ['0', '1'].map(async (seconds) =>
      stack.use(await startForward(sshd, 'ssh2', ['-L', `0:${to}`, '--wait', seconds])),
    ),
  );
  const places = forwards.flatMap((forward) => forward.places);
  for (const place of places) t.equal(await say(place, 'one'), 'far: one');
  await sshd.kill(); // the listener, too
  for (const [at, place] of places.entries()) {
    await waitUntil('the loss', () => forwards[at]?.stderr().includes('; attempt '));
    t.equal(await say(place, 'two').catch(() => ''), '', 'turned away, and not kept for ever');
  }
});

onTransport('ssh2', '--keep-trying and --once: not both, and not for what ends by itself', async (t) => {
  const both = await viassh(['forward', 'host.invalid', '-D', '0', '--keep-trying', '--once']);
  t.equal(both.code, 64);
  t.match(both.stderr, /--keep-trying and --once say the contrary/);
  const oneShot = await viassh(['forward', 'host.invalid', '-W', 'a:1', '--keep-trying']);
  t.equal(oneShot.code, 64);
  t.match(oneShot.stderr, /--keep-trying makes no sense here/);
});
