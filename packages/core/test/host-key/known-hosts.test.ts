import t from 'tap';
import { formatKnownHostsLine, type HostKey, knownKeyTypes, lookUpHostKey, parseKnownHosts } from '@viassh/core';
import { keyText, makeKey } from './make-key.ts';

const key = makeKey('right');
const other = makeKey('other');
const ecdsa = makeKey('right', 'ecdsa-sha2-nistp256');

function findingOf(lines: readonly string[], name: string, presented: HostKey = key): string {
  return lookUpHostKey(parseKnownHosts(lines.join('\n'), 'file'), name, presented).kind;
}

t.test('a plain name', async (t) => {
  const lines = [`host ${keyText(key)} a comment`];
  t.equal(findingOf(lines, 'host'), 'known');
  t.equal(findingOf(lines, 'HOST'), 'known');
  t.equal(findingOf(lines, 'host2'), 'unknown');
  t.equal(findingOf(lines, 'xhost'), 'unknown');
  t.equal(findingOf(lines, '[host]:2222'), 'unknown');
  t.equal(findingOf(lines, 'host', other), 'changed');
});

t.test('several names on one line, blanks and tabs between the fields', async (t) => {
  const lines = [` \tone,two,192.0.2.1,::1 \t ${keyText(key).replace(' ', '\t \t')}`];
  for (const name of ['one', 'two', '192.0.2.1', '::1']) t.equal(findingOf(lines, name), 'known', name);
  t.equal(findingOf(lines, 'one,two'), 'unknown');
});

t.test('[host]:port names that port alone', async (t) => {
  const lines = [`[host]:2222 ${keyText(key)}`, `[::1]:2222 ${keyText(key)}`];
  t.equal(findingOf(lines, '[host]:2222'), 'known');
  t.equal(findingOf(lines, '[::1]:2222'), 'known');
  t.equal(findingOf(lines, '[host]:22'), 'unknown');
  t.equal(findingOf(lines, 'host'), 'unknown');
  t.equal(findingOf(lines, 'h'), 'unknown', 'brackets are no character class');
});

t.test('wildcards, and a dot that is a dot', async (t) => {
  const lines = [`*.example.org,h?st ${keyText(key)}`];
  t.equal(findingOf(lines, 'a.example.org'), 'known');
  t.equal(findingOf(lines, 'a.b.example.org'), 'known');
  t.equal(findingOf(lines, 'example.org'), 'unknown');
  t.equal(findingOf(lines, 'a.exampleXorg'), 'unknown');
  t.equal(findingOf(lines, 'host'), 'known');
  t.equal(findingOf(lines, 'hst'), 'unknown');
});

t.test('a negated pattern takes the line away, wherever it stands', async (t) => {
  for (const names of ['*.example.org,!evil.example.org', '!evil.example.org,*.example.org']) {
    t.equal(findingOf([`${names} ${keyText(key)}`], 'good.example.org'), 'known');
    t.equal(findingOf([`${names} ${keyText(key)}`], 'evil.example.org'), 'unknown');
  }
  t.equal(findingOf([`!evil ${keyText(key)}`], 'good'), 'unknown', 'negation alone matches nothing');
});

t.test('a long row of stars does not take for ever', async (t) => {
  const lines = [`${'*'.repeat(2000)}x ${keyText(key)}`];
  t.equal(findingOf(lines, 'y'.repeat(200)), 'unknown');
});

t.test('a hashed name: made by ssh-keygen -H for host.example', async (t) => {
  const lines = [`|1|tdkknV2oX2wJYCsngD7AmiL6duE=|+N0AHRXAwXQqMQ6BAjDN8TpCEI0= ${keyText(key)}`];
  t.equal(findingOf(lines, 'host.example'), 'known');
  t.equal(findingOf(lines, 'Host.Example'), 'known');
  t.equal(findingOf(lines, 'host2.example'), 'unknown');
  t.equal(findingOf(lines, '[host.example]:2222'), 'unknown');
});

t.test('broken hashes match nothing and break nothing', async (t) => {
  for (const names of ['|1|', '|1||', '|1|AAAA|', '|1|AAAA|AAAA', '|2|tdkknV2oX2wJYCsngD7AmiL6duE=|x', '|1|$$$|$$$']) {
    t.equal(findingOf([`${names} ${keyText(key)}`, `host ${keyText(key)}`], 'host'), 'known', names);
    t.equal(findingOf([`${names} ${keyText(key)}`], ''), 'unknown', names);
  }
});

t.test('a key of a type of which another is known has changed; of a type not seen yet it is unknown', async (t) => {
  t.equal(findingOf([`host ${keyText(other)}`], 'host'), 'changed');
  const finding = lookUpHostKey(parseKnownHosts(`host ${keyText(ecdsa)}\nhost ${keyText(ecdsa)}`, 'file'), 'host', key);
  t.same(finding, { kind: 'unknown', otherTypes: ['ecdsa-sha2-nistp256'] });
});

t.test('one right key among several is enough', async (t) => {
  t.equal(findingOf([`host ${keyText(other)}`, `host ${keyText(ecdsa)}`, `h* ${keyText(key)}`], 'host'), 'known');
});

t.test('@revoked wins over every other line, in any order and with wildcards', async (t) => {
  const revoked = [`@revoked * ${keyText(key)}`, `@revoked host ${keyText(key)}`];
  for (const line of revoked) {
    t.equal(findingOf([`host ${keyText(key)}`, line], 'host'), 'revoked');
    t.equal(findingOf([line, `host ${keyText(key)}`], 'host'), 'revoked');
  }
  t.equal(findingOf([`@revoked other ${keyText(key)}`, `host ${keyText(key)}`], 'host'), 'known');
  t.equal(findingOf([`@revoked * ${keyText(other)}`, `host ${keyText(key)}`], 'host'), 'known');
  t.equal(findingOf([`@revoked * ${keyText(other)}`], 'host'), 'unknown', 'says nothing of another key');
});

t.test('@cert-authority says nothing of a plain key', async (t) => {
  t.equal(findingOf([`@cert-authority * ${keyText(key)}`], 'host'), 'unknown');
  t.equal(findingOf([`@cert-authority * ${keyText(other)}`], 'host'), 'unknown');
  t.same(knownKeyTypes(parseKnownHosts(`@cert-authority * ${keyText(key)}`, 'file'), 'host'), []);
});

t.test('lines that are no entries are passed over and the others count', async (t) => {
  const noEntries = [
    '',
    '   ',
    '# host comment',
    ' # host',
    'host',
    'host ssh-ed25519',
    '@revoked',
    '@revoked host',
    `@unknown host ${keyText(key)}`,
    `host 1024 35 1234567890`,
    'host ssh-ed25519 !!!!',
    'host ssh-ed25519 AAAA',
    `host ecdsa-sha2-nistp256 ${key.blob.toString('base64')}`,
    `host ssh-ed ${key.blob.toString('base64')}`,
  ];
  for (const line of noEntries) t.same(parseKnownHosts(line, 'file'), [], line);
  const entries = parseKnownHosts([...noEntries, `host ${keyText(key)}`].join('\n'), 'file');
  t.match(entries, [{ file: 'file', line: noEntries.length + 1 }]);
});

t.test('files with CRLF and without a last line end', async (t) => {
  const text = `one ${keyText(key)}\r\ntwo ${keyText(key)} comment\r\nthree ${keyText(key)}`;
  const entries = parseKnownHosts(text, 'file');
  for (const name of ['one', 'two', 'three']) t.equal(lookUpHostKey(entries, name, key).kind, 'known', name);
});

t.test('the types known for a name, each once, in file order', async (t) => {
  const lines = [
    `host ${keyText(ecdsa)}`,
    `host ${keyText(key)}`,
    `@revoked host ${keyText(makeKey('x', 'ssh-rsa'))}`,
    `h* ${keyText(other)}`,
  ];
  t.same(knownKeyTypes(parseKnownHosts(lines.join('\n'), 'file'), 'host'), ['ecdsa-sha2-nistp256', 'ssh-ed25519']);
});

t.test('a line written is read back, hashed or not', async (t) => {
  for (const hashed of [false, true]) {
    const line = formatKnownHostsLine('[host]:2222', key, { hashed });
    t.equal(line.includes('host'), !hashed);
    t.match(line, /[^\n]\n$/);
    t.equal(findingOf([line], '[host]:2222'), 'known');
    t.equal(findingOf([line], 'host'), 'unknown');
  }
  t.not(formatKnownHostsLine('host', key, { hashed: true }), formatKnownHostsLine('host', key, { hashed: true }));
});
