import { isViasshError, ViasshError } from '@viassh/core';
import { waitUntil } from '@viassh/testing';
import t from 'tap';
import { FakeLink, usualTerms } from './fake-link.ts';

const packet = (text: string): Buffer => Buffer.from(`\x45${text}`);
const lost = (): ViasshError => new ViasshError('CONNECTION_LOST', 'the cable is out');

t.test('packets of the device that do not reach the far end, or the other way', async (t) => {
  const link = new FakeLink();
  const run = link.run({ route: ['10.0.0.0/8'], dns: true, onDown: 'block' });
  await link.ready;
  link.device.emit([packet('out')]);
  await waitUntil('it has happened', () => link.carrier.sent.length === 1);
  t.same(link.carrier.sent, [packet('out')]);
  link.carrier.emit([packet('in')]);
  t.same(link.device.written, [packet('in')]);
  const [setup] = link.setups;
  t.match(setup, { device: 'fake0', mtu: 1500, routes: ['10.0.0.0/8'], onDown: 'block', nameServers: ['10.9.0.53'] });
  t.same(setup?.addresses, usualTerms.addresses);
  link.abort.abort();
  await t.rejects(run, { code: 'ABORTED' });
});

t.test('a link that is not undone, or in an order that leaves something behind', async (t) => {
  const link = new FakeLink();
  const run = link.run({ upScript: '/up', downScript: '/down', linkName: 'work' });
  await link.ready;
  link.abort.abort();
  await t.rejects(run, { code: 'ABORTED' });
  t.same(link.did, [
    'opened by pppd',
    'device',
    'network set',
    'ran /up',
    'ran /down',
    'network undone',
    'device closed',
  ]);
  const [up, down] = link.programs;
  t.same(up?.args, ['fake0', 'ssh', '0', '10.9.0.2', '10.9.0.1', 'work']);
  t.match(up?.env, { IFNAME: 'fake0', IPLOCAL: '10.9.0.2', IPREMOTE: '10.9.0.1', DNS1: '10.9.0.53', LINKNAME: 'work' });
  t.match(down?.env, { CONNECT_TIME: /^\d+$/, VIASSH_PACKETS_SENT: '0' });
});

t.test('a script that does not end, and a link that waits for it', async (t) => {
  const link = new FakeLink();
  link.endless = '/up';
  const run = link.run({ upScript: '/up', downScript: '/down' });
  await waitUntil('the script', () => link.did.includes('ran /up'));
  link.carrier.lose(lost());
  await waitUntil('the next carrier', () => link.carriers.length === 2);
  link.carrier.finish();
  await run;
  t.same(link.did.slice(-3), ['ran /down', 'network undone', 'device closed']);
  t.ok(link.lines.some((line) => line.includes('/up was ended')));
});

t.test('a device that does not stay when the connection is lost', async (t) => {
  const link = new FakeLink();
  const run = link.run({ upScript: '/up' });
  await link.ready;
  link.refusals.push(new ViasshError('CHANNEL_REFUSED', 'our dead session has the device still'));
  link.carrier.lose(lost());
  await waitUntil('it has happened', () => link.did.includes('network down'));
  link.device.emit([packet('while it is down')]);
  await waitUntil('it has happened', () => link.carriers.length === 2 && link.setups.length === 2);
  link.device.emit([packet('again')]);
  await waitUntil('it has happened', () => link.carrier.sent.length > 0);
  t.same(link.carrier.sent, [packet('again')], 'nothing old is sent');
  link.abort.abort();
  await t.rejects(run, { code: 'ABORTED' });
  t.equal(link.did.filter((what) => what === 'device').length, 1, 'one device all the time');
  t.equal(link.programs.length, 1, 'the script is run once');
});

t.test('a first failure that is tried again, or a loss that nobody may mend', async (t) => {
  const refused = new FakeLink();
  refused.refusals.push(new ViasshError('PPP_SILENT', 'nobody there'));
  await t.rejects(refused.run(), { code: 'PPP_SILENT' });
  t.same(refused.did, [], 'nothing is set up for it');

  const taken = new FakeLink();
  taken.taken = '192.0.2.9';
  await t.rejects(taken.run({ address: ['192.0.2.9:10.9.0.1'] }), { code: 'ADDRESS_CONFLICT' });
  t.same(taken.did, [], 'the far end is not asked for what would cut its way to us');

  const alone = new FakeLink();
  alone.isSupervised = false;
  const run = alone.run();
  await alone.ready;
  alone.carrier.lose(lost());
  await t.rejects(run, { code: 'CONNECTION_LOST' });

  const liar = new FakeLink();
  const second = liar.run();
  await liar.ready;
  liar.refusals.push(new ViasshError('PPP_AUTH_FAILED', 'the secret has changed'));
  liar.carrier.lose(lost());
  await t.rejects(second, { code: 'PPP_AUTH_FAILED' });
});

t.test('a far end whose end is not told', async (t) => {
  const link = new FakeLink();
  link.exit = { kind: 'status', code: 5 };
  const run = link.run();
  await link.ready;
  link.carrier.finish();
  t.same(await run, { kind: 'status', code: 5 });
  t.match(link.lines.at(-1), /status 5: it was ended by a signal/);
});

t.test('a device that was deleted under us', async (t) => {
  const link = new FakeLink();
  const run = link.run();
  await link.ready;
  link.device.lose();
  await t.rejects(run, { code: 'DEVICE_LOST' });
  t.ok(link.did.includes('network undone'));
});

t.test('a full carrier that is given more and more', async (t) => {
  const link = new FakeLink();
  const run = link.run();
  await link.ready;
  link.carrier.setFull(true);
  link.device.emit([packet('1')]);
  await waitUntil('it has happened', () => link.carrier.sent.length === 1);
  link.device.emit([packet('2')]);
  await new Promise((resolve) => setImmediate(() => setImmediate(resolve)));
  t.equal(link.carrier.sent.length, 1, 'the kernel keeps it');
  link.carrier.setFull(false);
  await waitUntil('it has happened', () => link.carrier.sent.length === 2);
  link.abort.abort();
  await t.rejects(run, { code: 'ABORTED' });
});

t.test('auto that gives up early, or does not say what it has found', async (t) => {
  const link = new FakeLink();
  link.refusals.push(
    new ViasshError('FAR_LINK_MISSING', 'no viassh'),
    new ViasshError('CHANNEL_REFUSED', 'no tun'),
    new ViasshError('FAR_LINK_MISSING', 'no pppd'),
    new ViasshError('REQUEST_REFUSED', 'no terminal'),
  );
  const error = await link.run({ far: 'auto' }).catch((thrown: unknown) => thrown);
  if (!isViasshError(error, 'FAR_LINK_MISSING')) throw error;
  for (const found of ['no viassh', 'no tun', 'no pppd', 'no terminal']) t.match(error.message, found);
  t.match(error.hint, /PermitTunnel.*dip.*slirp/s);

  const wrong = new FakeLink();
  wrong.refusals.push(new ViasshError('FAR_LINK_MISSING', 'no viassh'), new ViasshError('CONNECTION_LOST', 'gone'));
  await t.rejects(wrong.run({ far: 'auto' }), { code: 'CONNECTION_LOST' }, 'no other kind would change that');
});
