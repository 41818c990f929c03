import { rename } from 'node:fs/promises';
import { type AddressInfo, connect as dial, createServer } from 'node:net';
import { once } from 'node:events';
import { type Clock, systemClock } from '@viassh/core';
import { type WireDirection, waitUntil } from '@viassh/testing';
import { onBothTransports, onTransport } from './both-transports.ts';
import { startSupervised } from './supervised-sshd.ts';

/** A silence is noticed after two seconds. */
const keepalive = ['ServerAliveInterval=1', 'ServerAliveCountMax=1'];

const kinds = (states: readonly { readonly kind: string }[]): string[] => states.map(({ kind }) => kind);

onBothTransports('a wire that is cut, in order or not: back, and again', async (t, transport) => {
  await using supervised = await startSupervised(transport);
  const { supervisor, relay, states } = supervised;
  let connection = await supervisor.current();
  for (const how of ['rst', 'fin', 'rst'] as const) {
    relay.cut({ how });
    const back = await supervised.back(connection);
    t.comment(`${transport}: ${how}: service after ${back.ms.toFixed(0)} ms`);
    t.match(await connection.closed, { kind: 'lost', error: { code: 'CONNECTION_LOST' } });
    ({ connection } = back);
  }
  const round = ['waiting', 'connecting', 'up'];
  t.strictSame(kinds(states), ['connecting', 'up', ...round, ...round, ...round]);
  t.equal(supervisor.ups, 4);
});

const silences: readonly (readonly WireDirection[])[] = [[], ['toServer'], ['toClient']];

onBothTransports('a wire that goes dead, both ways or one: back by the keepalive', async (t, transport) => {
  await Promise.all(
    silences.map(async (directions) => {
      await using supervised = await startSupervised(transport, { options: keepalive });
      const connection = await supervised.supervisor.current();
      supervised.relay.stall(...directions);
      const { ms } = await supervised.back(connection);
      t.comment(`${transport}: silence ${directions.join() || 'both ways'}: service after ${ms.toFixed(0)} ms`);
      t.match(await connection.closed, { kind: 'lost', error: { code: 'CONNECTION_LOST' } });
    }),
  );
});

onBothTransports(
  'a machine that slept, without keepalives: a dead wire is told from one that lives',
  async (t, transport) => {
    let slept = 0;
    const clock: Clock = { ...systemClock, wall: () => Date.now() + slept };
    await using supervised = await startSupervised(transport, { clock, options: ['ServerAliveInterval=0'] });
    const { supervisor, relay, log } = supervised;
    const connection = await supervisor.current();
    const before = connection.ping.bind(connection);
    let answered = 0;
    connection.ping = async (options) => {
      const trip = await before(options);
      answered += 1;
      return trip;
    };
    slept += 8 * 3_600_000;
    await waitUntil('a probe to be answered', () => answered === 1);
    t.equal(await supervisor.current(), connection);
    relay.stall();
    slept += 8 * 3_600_000;
    const { ms } = await supervised.back(connection);
    t.comment(`${transport}: asleep: service after ${ms.toFixed(0)} ms`);
    t.ok(
      log.some((line) =>
        /^no answer within 1\.0 s \(the clock jumped by 288\d\d\.\d s\) \(CONNECTION_LOST\)/.test(line),
      ),
      log.join('\n'),
    );
  },
);

onBothTransports('a server that is down for a while and comes back', async (t, transport) => {
  await using supervised = await startSupervised(transport);
  const { supervisor, sshd, states } = supervised;
  const connection = await supervisor.current();
  supervised.dial(sshd.port);
  await sshd.kill();
  await waitUntil('the third refusal', () => supervisor.state.kind === 'waiting' && supervisor.state.attempt > 3);
  t.match(supervisor.state, { error: { code: 'CONNECTION_REFUSED' } });
  await supervised.restart();
  supervisor.retryNow('the server is back');
  const { ms } = await supervised.back(connection);
  t.comment(`${transport}: server restarted: service after ${ms.toFixed(0)} ms`);
  t.equal(states.at(-1)?.kind, 'up');
});

onBothTransports('a host key that changes in between: stays down, and says why', async (t, transport) => {
  await using supervised = await startSupervised(transport);
  const { supervisor, sshd, log, states } = supervised;
  await supervisor.current();
  supervised.dial(sshd.port);
  const { file } = await sshd.generateKey();
  await rename(file, sshd.hostKeyFiles[0] ?? '');
  await sshd.kill();
  await supervised.restart();
  const stopped = await supervisor.stopped;
  t.match(stopped, { kind: 'lost', error: { code: 'HOST_KEY_CHANGED' } });
  await t.rejects(supervisor.current(), { code: 'HOST_KEY_CHANGED' });
  t.match(log.at(-1), /^stopped: .*\(HOST_KEY_CHANGED\)$/);
  t.equal(kinds(states).filter((kind) => kind === 'stopped').length, 1);
});

onBothTransports('a server that turns us away: retried, after a floor', async (t, transport) => {
  await using supervised = await startSupervised(transport, {
    lazy: true,
    server: { config: ['PerSourceMaxStartups 1'] },
  });
  const { supervisor, sshd, states } = supervised;
  const other = dial({ host: '127.0.0.1', port: sshd.port });
  await once(other, 'data'); // it has the only place of those who have not logged in
  const connecting = supervisor.current();
  await waitUntil('the third refusal', () => supervisor.state.kind === 'waiting' && supervisor.state.attempt > 3);
  other.destroy();
  t.equal((await connecting).info.state, 'up');
  const waits = states.filter((state) => state.kind === 'waiting');
  for (const { error } of waits) t.equal(error.code, 'SERVER_CLOSED');
  for (const { since, until } of waits.slice(1)) t.ok(until - since >= 200, `${until - since} ms`);
});

onBothTransports('a penalty of sshd is no protocol error', async (t, transport) => {
  await using supervised = await startSupervised(transport, { keepTrying: false, lazy: true });
  const server = createServer((client) => client.resume().end('Not allowed at this time\r\n'));
  server.listen(0, '127.0.0.1');
  await once(server, 'listening');
  supervised.dial((server.address() as AddressInfo).port);
  await t.rejects(supervised.supervisor.current(), { code: 'SERVER_CLOSED', message: /Not allowed at this time/ });
  await once(server.close(), 'close');
});

onTransport('ssh2', 'closed while the login hangs: nothing is left', async (t, transport) => {
  await using supervised = await startSupervised(transport);
  const { supervisor, relay } = supervised;
  const connection = await supervisor.current();
  relay.at({ direction: 'toClient', phase: 'kexinit' }, (wire) => wire.stall());
  relay.wires[0]?.cut({ how: 'rst' });
  await connection.closed;
  await waitUntil('the next attempt to hang', () => relay.wires.some(({ held }) => held > 0));
  await supervisor.close();
  t.strictSame(await supervisor.stopped, { kind: 'closed' });
});
