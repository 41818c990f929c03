import { once } from 'node:events';
import { connect as dial } from 'node:net';
import { join } from 'node:path';
import process from 'node:process';
import { text } from 'node:stream/consumers';
import {
  type IncomingChannel,
  type RemoteForwardRequest,
  type RemoteListener,
  silentLogger,
  supervise,
  type SupervisedConnection,
  supervisedConnection,
  type SupervisedConnectionOptions,
  type Supervisor,
} from '@viassh/core';
import {
  type FaultyRelay,
  listProcesses,
  type Sshd,
  type SshdOptions,
  startFaultyRelay,
  startSshd,
  waitUntil,
} from '@viassh/testing';
import { connect } from 'viassh';
import { onBothTransports, onTransport } from './both-transports.ts';
import type { transports } from './run-viassh.ts';

/** A supervised connection by way of a relay, whose wires can be cut. */
interface Supervised extends AsyncDisposable {
  readonly connection: SupervisedConnection;
  readonly supervisor: Supervisor;
  /** RST to both sides; resolves when the next connection is up. */
  cut(): Promise<void>;
}

async function superviseOver(
  sshd: Sshd,
  relay: FaultyRelay,
  transport: (typeof transports)[number],
  options: Partial<SupervisedConnectionOptions> = {},
): Promise<Supervised> {
  const supervisor = supervise(
    (signal) =>
      connect(sshd.destination, {
        configFile: sshd.configFile,
        options: [`Port=${relay.port}`],
        transport,
        signal,
      }),
    { log: silentLogger, backoff: { baseMs: 1 } },
  );
  const connection = supervisedConnection(supervisor, { log: silentLogger, ...options });
  await supervisor.current();
  return {
    connection,
    supervisor,
    async cut() {
      const { ups } = supervisor;
      relay.cut({ how: 'rst' });
      await waitUntil('the next connection', () => supervisor.ups > ups);
    },
    [Symbol.asyncDispose]: () => connection.close(),
  };
}

function shout(incoming: IncomingChannel): void {
  const channel = incoming.accept();
  channel.on('data', (chunk: Buffer) => channel.write(chunk.toString().toUpperCase())).once('end', () => channel.end());
}

/** What the far end's listener answers. */
async function answerAt({ address }: Pick<RemoteListener, 'address'>, word: string): Promise<string> {
  const socket =
    address.kind === 'tcpip' ? dial({ host: '127.0.0.1', port: address.port }) : dial({ path: address.path });
  await once(socket, 'connect');
  socket.end(word);
  return await text(socket);
}

/** The process that serves our connection, and listens for it, stopped: it notices nothing any more. */
async function stopFarSshd(connection: SupervisedConnection): Promise<number> {
  const session = await connection.openSession({ kind: 'exec', command: 'echo $PPID' });
  session.stderr.resume();
  const pid = Number(await text(session));
  process.kill(pid, 'SIGSTOP');
  return pid;
}

async function isAlive(pid: number): Promise<boolean> {
  return (await listProcesses()).some((entry) => entry.pid === pid);
}

const standing =
  ({ forwards }: SupervisedConnection) =>
  (): boolean =>
    forwards.length > 0 && forwards.every(({ state }) => state.kind === 'standing');

onBothTransports('a remote forward is there again after a reset, at the port that was chosen', async (t, transport) => {
  await using sshd = await startSshd({ mode: 'listen' });
  await using relay = await startFaultyRelay({ to: sshd.port });
  await using there = await superviseOver(sshd, relay, transport);
  const { connection } = there;
  const listener = await connection.requestForward({ kind: 'tcpip', port: 0 }, shout);
  t.equal(await answerAt(listener, 'once'), 'ONCE');
  for (const word of ['twice', 'thrice']) {
    await there.cut();
    await waitUntil('the forward to stand', standing(connection));
    t.equal(await answerAt(listener, word), word.toUpperCase());
  }
  await waitUntil('the channels to close', () => connection.traffic.open === 0);
  t.match(connection.traffic, { channels: 3, sent: 'ONCETWICETHRICE'.length, received: 'oncetwicethrice'.length });
  await listener.close();
  t.strictSame(connection.forwards, []);
});

const places: Readonly<Record<string, (sshd: Sshd) => RemoteForwardRequest>> = {
  port: () => ({ kind: 'tcpip', port: 0 }),
  'Unix socket': ({ home }) => ({ kind: 'streamlocal', path: join(home, 'listener') }),
};

for (const [place, request] of Object.entries(places))
  onBothTransports(`a ${place} that our own dead session still holds is had back`, async (t, transport) => {
    await using sshd = await startSshd({ mode: 'listen' });
    await using relay = await startFaultyRelay({ to: sshd.port });
    await using there = await superviseOver(sshd, relay, transport, { evict: true });
    const { connection } = there;
    const listener = await connection.requestForward(request(sshd), shout);
    t.equal(await answerAt(listener, 'once'), 'ONCE');
    await waitUntil('the process there to be known', () => connection.forwards[0]?.holder !== undefined);
    const stale = await stopFarSshd(connection);
    t.equal(connection.forwards[0]?.holder?.pid, stale);
    await there.cut();
    t.ok(await isAlive(stale));
    await waitUntil('the forward to stand', standing(connection), { withinMs: 20_000 });
    t.notOk(await isAlive(stale));
    t.equal(connection.forwards[0]?.evictions, 1);
    t.equal(await answerAt(listener, 'twice'), 'TWICE');
    const listening = sshd.pid;
    t.ok(listening !== undefined && (await isAlive(listening)), 'nobody else was ended');
  });

onBothTransports(
  'after a silence channels end as lost, and a forward is had back from who still waits for us',
  async (t, transport) => {
    await using sshd = await startSshd({ mode: 'listen' });
    await using relay = await startFaultyRelay({ to: sshd.port });
    await using there = await superviseOver(sshd, relay, transport, { evict: true });
    const { connection, supervisor } = there;
    const listener = await connection.requestForward({ kind: 'tcpip', port: 0 }, shout);
    const holder = await waitUntil('the process there to be known', () => connection.forwards[0]?.holder);
    const session = await connection.openSession({ kind: 'exec', command: 'cat' });
    const ended = once(session.resume(), 'error');
    relay.stall();
    const start = performance.now();
    supervisor.retryNow('the test');
    t.match(await ended, [{ code: 'CONNECTION_LOST' }]);
    await t.rejects(session.exit, { code: 'CONNECTION_LOST' });
    await waitUntil('the next connection', () => supervisor.ups === 2);
    await waitUntil('the forward to stand', standing(connection), { withinMs: 10_000 });
    t.comment(`there again after ${Math.round(performance.now() - start)} ms, of which the probe waits 1000`);
    t.equal(await answerAt(listener, 'back'), 'BACK');
    t.equal(connection.forwards[0]?.evictions, 1);
    t.notOk(await isAlive(holder.pid));
  },
);

const spared: Readonly<Record<string, Pick<SshdOptions, 'authorizedKeysOptions'>>> = {
  'an account without commands': { authorizedKeysOptions: 'command="echo $PPID"' },
  'a process of that id which began at another time': {},
};

for (const [what, options] of Object.entries(spared))
  onTransport('ssh2', `${what}: nobody is ended, and the port is had when it is free`, async (t) => {
    await using sshd = await startSshd({ mode: 'listen', ...options });
    await using relay = await startFaultyRelay({ to: sshd.port });
    await using there = await superviseOver(sshd, relay, 'ssh2', { evict: true });
    const { connection } = there;
    const listener = await connection.requestForward({ kind: 'tcpip', port: 0 }, shout);
    const [forward] = connection.forwards;
    if (options.authorizedKeysOptions === undefined) {
      const holder = await waitUntil('the process there to be known', () => forward?.holder);
      Object.assign(holder, { started: `${Number(holder.started) - 1}` });
    }
    const stale = await stopFarSshd(connection);
    await there.cut();
    await waitUntil('several refusals', () => forward?.state.kind === 'waiting' && forward.state.attempt > 2);
    t.match(forward, { evictions: 0, state: { error: { code: 'FORWARD_REFUSED' } } });
    t.ok(await isAlive(stale));
    if (options.authorizedKeysOptions !== undefined) {
      const asked = (await sshd.log()).match(/Starting session: forced-command/g)?.length;
      t.equal(asked, 2, 'by us at first, and by this test: who answers with something else is not asked each time');
    }
    process.kill(stale, 'SIGCONT');
    await waitUntil('the forward to stand', standing(connection), { withinMs: 10_000 });
    t.equal(await answerAt(listener, 'mine'), 'MINE');
  });
