import { once } from 'node:events';
import { connect, type Socket } from 'node:net';
import { descendantsOf, listProcesses, startSshd, waitUntil } from '@viassh/testing';
import { onBothTransports, onTransport, skipWithoutSshd } from './both-transports.ts';
import { portOf, say, startForward } from './forwarding.ts';
import { descriptorsOf, memoryOf, mostDescriptors } from './process-figures.ts';
import { startTarget } from './start-target.ts';

const CONNECTIONS = 10_000;
const AT_ONCE = 200;
const MOST_BYTES_EACH = 20 * 1024;

const most = skipWithoutSshd === false ? await mostDescriptors() : 0;
const skip =
  skipWithoutSshd || (most < CONNECTIONS + 1000 ? `ulimit -Hn is ${most}: too small for ${CONNECTIONS}` : false);

onBothTransports(
  `${CONNECTIONS} connections through one -L: each is served, each costs little, and nothing of them stays`,
  async (t, transport) => {
    await using stack = new AsyncDisposableStack();
    const sshd = stack.use(await startSshd({ mode: 'listen', config: ['LogLevel INFO'] }));
    const target = stack.use(await startTarget());
    // Dead objects of the opening would be counted as memory of the idle: what collects them is asked for at once.
    const forward = stack.use(
      await startForward(sshd, transport, ['-L', `0:127.0.0.1:${target.port}`], {
        nodeArgs: ['--max-semi-space-size=1'],
      }),
    );
    const port = portOf(forward.places[0]);
    await Promise.all(Array.from({ length: 50 }, () => say({ host: '127.0.0.1', port }, 'warm'))); // at once: what is opened for many stays
    await waitUntil('the first to be gone', async () => (await target.open()) === 0);
    const [descriptors, memory] = [await descriptorsOf(forward.pid), await memoryOf(forward.pid)];
    const sockets: Socket[] = [];
    stack.defer(() => {
      for (const socket of sockets) socket.destroy();
    });
    const began = performance.now();
    while (sockets.length < CONNECTIONS) {
      const some = Array.from({ length: AT_ONCE }, () => connect(port, '127.0.0.1').setNoDelay());
      sockets.push(...some);
      await Promise.all(some.map((socket) => echoed(socket)));
    }
    const seconds = (performance.now() - began) / 1000;
    t.equal(await target.open(), CONNECTIONS);
    t.equal(await descriptorsOf(forward.pid), descriptors + CONNECTIONS);
    const each = ((await memoryOf(forward.pid)) - memory) / CONNECTIONS;
    const masters = descendantsOf(forward.pid, await listProcesses()).filter(({ command }) =>
      command.startsWith('ssh '),
    );
    const master = await Promise.all(masters.map(({ pid }) => memoryOf(pid)));
    t.comment(
      `${transport}: ${(each / 1024).toFixed(1)} KiB for each of ${CONNECTIONS}, opened within ${seconds.toFixed(1)} s; ssh beside it has ${(master.reduce((sum, bytes) => sum + bytes, 0) / 1024 ** 2).toFixed(1)} MiB`,
    );
    t.ok(each < MOST_BYTES_EACH, `${(each / 1024).toFixed(1)} KiB each`);
    await Promise.all(sockets.filter((_, index) => index % 100 === 0).map((socket) => echoed(socket)));
    for (const [index, socket] of sockets.entries()) {
      if (index % 3 === 0) socket.resetAndDestroy();
      else if (index % 3 === 1) socket.destroy();
      else socket.resume().end();
    }
    await waitUntil('all to be gone there', async () => (await target.open()) === 0, {
      withinMs: 60_000,
      everyMs: 100,
    });
    await waitUntil('all to be gone here', async () => (await descriptorsOf(forward.pid)) === descriptors, {
      withinMs: 30_000,
      everyMs: 100,
    });
    t.equal(await say({ host: '127.0.0.1', port }, 'and on'), 'and on');
    t.equal(forward.stderr(), '');
    forward.kill('SIGTERM');
    t.strictSame(await forward.exit, { code: 143, signal: null });
  },
  skip,
);

onTransport(
  'ssh2',
  'a process that may open no more files says so once, and serves again as soon as it may',
  async (t, transport) => {
    await using stack = new AsyncDisposableStack();
    const sshd = stack.use(await startSshd({ mode: 'listen', config: ['LogLevel INFO'] }));
    const target = stack.use(await startTarget());
    const shell = 'ulimit -n 64; exec "$@"';
    const forward = stack.use(await startForward(sshd, transport, ['-L', `0:127.0.0.1:${target.port}`], { shell }));
    const port = portOf(forward.places[0]);
    const sockets = Array.from({ length: 100 }, () => connect(port, '127.0.0.1').on('error', () => undefined));
    stack.defer(() => {
      for (const socket of sockets) socket.destroy();
    });
    const served = await Promise.all(sockets.map((socket) => isServed(socket)));
    t.ok(served.includes(false) && served.includes(true), 'some are served, some are not');
    await waitUntil('the limit to be said', () => forward.stderr().includes('ulimit -n'), { withinMs: 10_000 });
    t.equal(forward.stderr().match(/warning/g)?.length, 1, forward.stderr());
    for (const socket of sockets) socket.destroy();
    const place = { host: '127.0.0.1', port };
    await waitUntil('it to serve again', async () => (await say(place, 'again').catch(() => '')) === 'again', {
      withinMs: 10_000,
      everyMs: 100,
    });
  },
);

/** A byte there and back. */
async function echoed(socket: Socket): Promise<void> {
  socket.write('x');
  await once(socket, 'data');
}

/** Whether the byte comes back, or the connection ends. */
async function isServed(socket: Socket): Promise<boolean> {
  socket.write('x');
  return await new Promise((resolve) => {
    socket.once('data', () => resolve(true)).once('close', () => resolve(false));
  });
}
