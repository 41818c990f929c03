import { isIPv6 } from 'node:net';
import t from 'tap';
import { addressBytes, addressFrom, canonicalHost } from '../../src/negotiate/host.ts';

t.test('an address has one form, whatever a client writes', async (t) => {
  for (const [form, ...others] of [
    ['127.0.0.1', '127.1', '2130706433', '0x7f000001', '0177.0.0.1', '0x7f.1', '127.0.0.1.'],
    ['::1', '0:0:0:0:0:0:0:1', '0000::0001'],
    ['::ffff:7f00:1', '::ffff:127.0.0.1', '::FFFF:7F00:1'],
    ['fe80::1%eth0', 'FE80:0::1%eth0'],
    ['far.example', 'FAR.Example', 'far.example.'],
    ['my_host-1', 'My_Host-1'],
  ] as const)
    for (const other of [form, ...others]) t.equal(canonicalHost(other), form, other);
});

t.test('what is neither an address nor a name is none', async (t) => {
  for (const text of [
    '',
    '.',
    '..',
    'a..b',
    '.a',
    '-a',
    'a-',
    'a b',
    'a/b',
    'a@b',
    'a\0',
    'a\n',
    'a%31',
    'é',
    '256.1.1.1',
    '1.2.3.4.5',
    '4294967296',
    '08',
    ':::',
    '1::2::3',
    '::1%',
    '::1%a b',
    '::g',
    '[::1]',
    'a'.repeat(256),
  ])
    t.equal(canonicalHost(text), undefined, JSON.stringify(text.slice(0, 20)));
});

t.test('the bytes of an address and its form lead to each other', async (t) => {
  for (let bit = 0; bit < 128; bit += 1) {
    const bytes = Buffer.alloc(16);
    bytes[bit >> 3] = 0x80 >> (bit & 7);
    bytes[15 - (bit >> 3)] = 0x5a;
    const form = addressFrom(bytes);
    t.ok(isIPv6(form), form);
    t.equal(canonicalHost(form), form);
    t.strictSame(addressBytes(form), [...bytes]);
  }
  t.equal(addressFrom(Buffer.from([192, 0, 2, 7])), '192.0.2.7');
  t.strictSame(addressBytes('192.0.2.7'), [192, 0, 2, 7]);
  t.strictSame(addressBytes('::ffff:c000:207'), [192, 0, 2, 7], 'IPv4 written as IPv6 is IPv4');
  t.strictSame(addressBytes('fe80::1%eth0')?.slice(-2), [0, 1]);
  t.equal(addressBytes('far.example'), undefined);
});
