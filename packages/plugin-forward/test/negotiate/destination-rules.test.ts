import t from 'tap';
import { deniedBy, parseDestinationRule } from '../../src/negotiate/destination-rules.ts';
import { canonicalHost } from '../../src/negotiate/host.ts';

/** With the host as a client would have written it. */
function passes(rules: { allow?: readonly string[]; deny?: readonly string[] }, host: string, port = 443): boolean {
  const parsed = { allow: rules.allow?.map(parseDestinationRule), deny: rules.deny?.map(parseDestinationRule) };
  return deniedBy(parsed, { kind: 'tcp', host: canonicalHost(host) ?? '', port }) === undefined;
}

t.test('a rule matches the hosts and ports that it says, and no others', async (t) => {
  for (const [rule, matching, others] of [
    ['*', ['any.test', '10.0.0.1', '::1'], []],
    ['db.test', ['db.test', 'DB.Test', 'db.test.'], ['xdb.test', 'db.test.evil', 'a.db.test', '10.0.0.1']],
    ['*.db.test', ['a.db.test', 'a.b.DB.test.'], ['db.test', 'adb.test', 'a.db.test.evil']],
    ['10.1.2.3', ['10.1.2.3', '10.1.515', '0xa010203', '0012.1.2.3', '::ffff:10.1.2.3'], ['10.1.2.4', 'ten.test']],
    ['10.0.0.0/8', ['10.0.0.0', '10.255.255.255', '::ffff:a01:203'], ['11.0.0.0', '9.255.255.255', '::a01:203']],
    ['172.16.0.0/12', ['172.16.0.1', '172.31.255.255'], ['172.32.0.0', '172.15.255.255']],
    ['0.0.0.0/0', ['1.2.3.4'], ['::2', 'name.test']],
    ['::ffff:10.0.0.0/104', ['10.9.9.9'], ['11.0.0.1']],
    ['2001:db8::/32', ['2001:db8:ffff::1', '2001:0DB8::'], ['2001:db9::1', '1.2.3.4']],
    ['fe80::/10', ['fe80::1%eth0', 'febf::1'], ['fec0::1']],
    ['::1', ['::1', '0:0:0:0:0:0:0:1'], ['::2', '127.0.0.1']],
  ] as const) {
    for (const host of matching) t.ok(passes({ allow: [rule] }, host), `${rule} allows ${host}`);
    for (const host of others) t.notOk(passes({ allow: [rule] }, host), `${rule} does not allow ${host}`);
    for (const host of matching) t.notOk(passes({ deny: [rule] }, host), `${rule} denies ${host}`);
    for (const host of others) t.ok(passes({ deny: [rule] }, host), `${rule} does not deny ${host}`);
  }
  for (const [rule, matching, others] of [
    ['h:80', [80], [79, 81]],
    ['h:80,443,8000-8999', [80, 443, 8000, 8999], [81, 7999, 9000]],
    ['h:*', [1, 65_535], []],
    ['*:22', [22], [23]],
  ] as const) {
    for (const port of matching) t.ok(passes({ allow: [rule] }, 'h', port), `${rule} allows ${port}`);
    for (const port of others) t.notOk(passes({ allow: [rule] }, 'h', port), `${rule} does not allow ${port}`);
  }
  t.ok(passes({ allow: ['[2001:db8::/32]:80'] }, '2001:db8::5', 80));
  t.notOk(passes({ allow: ['[2001:db8::/32]:80'] }, '2001:db8::5', 81));
});

t.test('deny comes before allow; without an allow all that is not denied passes', async (t) => {
  t.ok(passes({}, 'any.test'));
  t.ok(passes({ deny: ['a.test'] }, 'b.test'));
  t.notOk(passes({ allow: ['*.test'], deny: ['a.test'] }, 'a.test'));
  t.ok(passes({ allow: ['*.test'], deny: ['a.test'] }, 'b.test'));
  t.notOk(passes({ allow: ['a.test', 'b.test'] }, 'c.test'));
});

t.test('a machine that is denied by its address is not reached by its other ones', async (t) => {
  for (const host of ['0.0.0.0', '0', '::', '::ffff:0.0.0.0', 'localhost', 'LOCALHOST.', 'db.localhost'])
    for (const rule of ['127.0.0.0/8', '::1']) t.notOk(passes({ deny: [rule] }, host), `${host} by ${rule}`);
  for (const host of ['0.0.0.0', '::', 'localhost'])
    t.notOk(passes({ allow: ['127.0.0.1'] }, host), `${host}: only the address itself is allowed`);
  t.ok(passes({ allow: ['localhost'] }, 'localhost'));
});

t.test('who is denied hears which rule it was', async (t) => {
  const deny = [parseDestinationRule('*.test:1-500')];
  const target = { kind: 'tcp', host: 'a.test', port: 443 } as const;
  t.match(deniedBy({ deny }, target), { code: 'TARGET_DENIED', message: /a\.test:443: the rule deny \*\.test:1-500/ });
  const allow = [parseDestinationRule('b.test')];
  t.match(deniedBy({ allow }, target), { code: 'TARGET_DENIED', message: /no rule allow/ });
});

t.test('a rule that would not match what it seems to say is refused', async (t) => {
  for (const text of [
    '',
    ':80',
    'h:',
    'h:0',
    'h:65536',
    'h:90-80',
    'h:80,',
    'h:80-',
    'h:http',
    'a b',
    'a*.test',
    '*.*.test',
    '*.10.0.0.1',
    '*.',
    'h/8',
    '*/8',
    '10.0.0.0/33',
    '10.0.0.0/',
    '10.0.0.0/-1',
    '::/129',
    '::ffff:10.0.0.0/95',
    '[::1',
    '[::1]80',
    '[h]:80',
    'http://h/',
    'h:80:90',
    '256.1.1.1',
    '-h',
  ])
    t.throws(() => parseDestinationRule(text), { code: 'OPTION_INVALID' }, `'${text}'`);
});

t.test('the name of the machine itself, denied, is not reached by its addresses', async (t) => {
  for (const host of ['localhost', '127.0.0.1', '127.0.0.2', '127.1', '0', '::', '::1', '::ffff:127.0.0.1'])
    t.notOk(passes({ deny: ['localhost'] }, host), host);
  for (const host of ['128.0.0.1', '::2', 'db.test']) t.ok(passes({ deny: ['localhost'] }, host), host);
  t.notOk(passes({ allow: ['localhost'] }, '127.0.0.1'), 'what is allowed is what was written');
});
