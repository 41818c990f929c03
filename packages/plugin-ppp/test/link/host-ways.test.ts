import { lookup } from 'node:dns/promises';
import t from 'tap';
import { HostWays } from '../../src/link/host-ways.ts';

const over = (...peers: string[]): { hops: { peer: string; state: 'up' }[] } => ({
  hops: peers.map((peer) => ({ peer, state: 'up' })),
});
const local = (await lookup('localhost')).address;

t.test('the host that is dialled cannot be found while the link is down', async (t) => {
  const ways = new HostWays();
  const { keep, names } = await ways.find([], over('jack@localhost:22', 'jack@behind:22'), [local, '192.0.2.7']);
  t.same(keep, [local, '192.0.2.7']);
  t.same(names, [{ name: 'localhost', address: local }]);
});

t.test('a name is pinned to an address that is none of our connections', async (t) => {
  const ways = new HostWays();
  for (const peer of ['jack@localhost:22', 'jack@192.0.2.7:22', 'jack@[fd00::1]:22', ''])
    t.same((await ways.find([], over(peer), ['192.0.2.7'])).names, [], peer);
  t.same((await ways.find([], undefined, ['192.0.2.7'])).names, []);
});

t.test('hosts that are to be kept beside the link, and are not', async (t) => {
  const ways = new HostWays();
  const { keep, names } = await ways.find(['192.0.2.9', 'localhost'], undefined, ['192.0.2.7']);
  t.match(keep, ['192.0.2.7', '192.0.2.9', local]);
  t.match(names, [{ name: 'localhost', address: local }]);
  await t.rejects(ways.find(['nobody.invalid'], undefined, []), { code: 'OPTION_INVALID', message: /nobody\.invalid/ });
});
