import { createPacketFilter } from '@viassh/plugin-ppp';
import t from 'tap';
import { ipv4 } from '../ppp/ppp-world.ts';

t.test('on a network of more than two its hosts are heard, beside the networks behind it', async (t) => {
  const accepts = createPacketFilter([{ local: '192.168.5.2', prefix: 24 }], ['10.0.0.0/8']);
  for (const [from, heard] of [
    ['192.168.5.1', true],
    ['192.168.5.254', true],
    ['192.168.6.1', false],
    ['10.1.2.3', true],
    ['192.168.5.2', false],
  ] as const) {
    t.equal(accepts(ipv4(from, '192.168.5.2')), heard, from);
  }
});

t.test('an end whose other end has no address is not heard in its own name, nor by others', async (t) => {
  const accepts = createPacketFilter([{ local: '10.5.0.1', prefix: 32 }], []);
  for (const from of ['10.5.0.1', '10.5.0.2', '9.9.9.9']) t.notOk(accepts(ipv4(from, '10.5.0.1')), from);
});
