import t from 'tap';
import { canonicalAddress, contains, formatPrefix, halves, parsePrefix } from '../../src/network/prefix.ts';

t.test('networks are read, their host bits cleared, and written for ip', async (t) => {
  for (const [text, written] of [
    ['10.50.3.4/16', '10.50.0.0/16'],
    ['10.1.2.3', '10.1.2.3/32'],
    ['0.0.0.0/0', '0.0.0.0/0'],
    ['fd00:1::ff/32', 'fd00:1:0:0:0:0:0:0/32'],
    ['::', '0:0:0:0:0:0:0:0/128'],
    ['1::', '1:0:0:0:0:0:0:0/128'],
    ['::ffff:10.1.2.3/120', '0:0:0:0:0:ffff:a01:200/120'],
  ] as const)
    t.equal(formatPrefix(parsePrefix(text)), written);
  t.equal(canonicalAddress('FD00::0001'), canonicalAddress('fd00:0::1'));
});

t.test('what is no network is refused', async (t) => {
  for (const text of [
    '',
    'default',
    '10.1.0.0/33',
    '10.1/16',
    'fd00::/129',
    'fe80::1%eth0',
    '10.0.0.0/8/8',
    '10.0.0.0/-1',
    '1.2.3.4 dev lo',
  ])
    t.throws(() => parsePrefix(text), { code: 'OPTION_INVALID' }, text);
});

t.test('a network contains itself and what lies in it, of its own family alone', async (t) => {
  t.ok(inside('10.0.0.0/8', '10.255.255.255'));
  t.ok(inside('10.0.0.0/8', '10.0.0.0/8'));
  t.notOk(inside('10.0.0.0/8', '11.0.0.0'));
  t.notOk(inside('10.0.0.0/9', '10.0.0.0/8'));
  t.notOk(inside('0.0.0.0/0', '::/0'));
  t.ok(inside('::/0', 'fd00::1'));
});

t.test('halves are all of it', async (t) => {
  t.strictSame(halves(parsePrefix('0.0.0.0/0')).map(formatPrefix), ['0.0.0.0/1', '128.0.0.0/1']);
  t.strictSame(halves(parsePrefix('::/0')).map(formatPrefix), ['0:0:0:0:0:0:0:0/1', '8000:0:0:0:0:0:0:0/1']);
});

function inside(outer: string, inner: string): boolean {
  return contains(parsePrefix(outer), parsePrefix(inner));
}
