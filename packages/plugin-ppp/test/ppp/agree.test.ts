import t from 'tap';
import { ipv4, opened, pppWorld, run } from './ppp-world.ts';

t.test(
  'a client that asks for everything gets its address, name servers and IPv6, and packets go both ways',
  async (t) => {
    const world = await opened(
      pppWorld(
        { askDns: true, ipv6: true, mru: 16000 },
        { offerDns: ['10.99.0.1', '9.9.9.9'], ipv6: true, mru: 16000 },
      ),
    );
    const [here, there] = await Promise.all([world.client.session.agreed, world.server.session.agreed]);
    t.match(here, { mtu: 16000, dns: ['10.99.0.1', '9.9.9.9'] });
    t.same(here.addresses[0], { local: '10.99.0.2', remote: '10.99.0.1', prefix: 32 });
    t.same(there.addresses[0], { local: '10.99.0.1', remote: '10.99.0.2', prefix: 32 });
    t.match(here.addresses[1]?.local, /^fe80::/);
    t.equal(here.addresses[1]?.local, there.addresses[1]?.remote);
    const ping = ipv4('10.99.0.2', '10.99.0.1', 16000);
    t.equal(world.client.session.send([ping]), 1);
    t.equal(world.server.session.send([ipv4('10.99.0.1', '10.99.0.2')]), 1);
    await world.settle();
    t.same(world.server.packets, [ping]);
    t.equal(world.client.packets.length, 1);
    await Promise.all([world.client.session.close(), run(world, 4000)]);
    await Promise.all([world.client.session.closed, world.server.session.closed]);
    t.same(world.clock.pending, [], 'no timer is left');
  },
);
