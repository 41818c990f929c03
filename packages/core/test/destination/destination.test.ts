import t from 'tap';
import {
  checkUser,
  type Destination,
  formatDestination,
  isViasshError,
  parseDestination,
  type ViasshError,
} from '@viassh/core';
import { below, randomString, seededRandom } from '../random.ts';

/** The refusal; fails the test when there is none. */
function refusalOf(text: string): ViasshError {
  try {
    const parsed = parseDestination(text);
    throw new Error(`${JSON.stringify(text)} was taken for ${JSON.stringify(parsed)}`);
  } catch (error) {
    if (isViasshError(error, 'DESTINATION_INVALID')) return error;
    throw error;
  }
}

const accepted: readonly [text: string, expected: Destination][] = [
  ['host', { host: 'host' }],
  ['user@host', { user: 'user', host: 'host' }],
  ['user@host:2222', { user: 'user', host: 'host', port: 2222 }],
  ['host:1', { host: 'host', port: 1 }],
  ['host:65535', { host: 'host', port: 65535 }],
  ['a@b@c', { user: 'a@b', host: 'c' }],
  ['a@b@c:22', { user: 'a@b', host: 'c', port: 22 }],
  ['dom\\user@host', { user: 'dom\\user', host: 'host' }],
  ['first last@host', { user: 'first last', host: 'host' }],
  ['user@192.0.2.7:22', { user: 'user', host: '192.0.2.7', port: 22 }],
  ['::1', { host: '::1' }],
  ['user@::1', { user: 'user', host: '::1' }],
  ['[::1]', { host: '::1' }],
  ['[::1]:2222', { host: '::1', port: 2222 }],
  ['user@[2001:db8::7]:2222', { user: 'user', host: '2001:db8::7', port: 2222 }],
  ['fe80::1%eth0', { host: 'fe80::1%eth0' }],
  ['[fe80::1%wg-home_1.5]:22', { host: 'fe80::1%wg-home_1.5', port: 22 }],
  ['::ffff:192.0.2.7', { host: '::ffff:192.0.2.7' }],
  ['[host]:22', { host: 'host', port: 22 }],
  ['xn--bcher-kva.example', { host: 'xn--bcher-kva.example' }],
  ['ssh://host', { host: 'host' }],
  ['ssh://host/', { host: 'host' }],
  ['SSH://user@host:2222/', { user: 'user', host: 'host', port: 2222 }],
  ['ssh://host.', { host: 'host' }],
  ['ssh://my_host', { host: 'my_host' }],
  ['ssh://a%40b@host', { user: 'a@b', host: 'host' }],
  ['ssh://a%2fb@host', { user: 'a/b', host: 'host' }],
  ['ssh://a%20b@host', { user: 'a b', host: 'host' }],
  ['ssh://j%c3%bcrgen@host', { user: 'jürgen', host: 'host' }],
  ['ssh://a%2Bb@host', { user: 'a+b', host: 'host' }],
];

for (const [text, expected] of accepted) {
  t.test(`${text} is read as it is meant`, async (t) => {
    t.same(parseDestination(text), { user: undefined, port: undefined, ...expected });
  });
}

const refused: readonly [text: string, why: RegExp][] = [
  ['', /empty/],
  ['-oProxyCommand=x', /dash/],
  ['-', /dash/],
  ['user@-h', /dash/],
  ['-u@host', /dash/],
  ['[-h]:22', /dash/],
  ['@host', /user name is empty/],
  ['user@', /host is missing/],
  [':22', /host is missing/],
  ['[]:22', /host is missing/],
  ['host\n', /refuses/],
  ['ho\nst', /refuses/],
  ['us\ner@host', /refuses/],
  ['host\0', /refuses/],
  ['user\0@host', /refuses/],
  ['host\u0085', /refuses/],
  ['user\u009b@host', /refuses/],
  ['ho st', /refuses/],
  ['host,other', /refuses/],
  ['$(reboot)', /refuses/],
  ['user`id`@host', /refuses/],
  ['user$HOME@host', /refuses/],
  ['user -oX@host', /refuses/],
  ['user\\@host', /refuses/],
  ['host:', /port/],
  ['host:0', /port/],
  ['host:99999', /port/],
  ['host:65536', /port/],
  ['host:-1', /port/],
  ['host:+22', /port/],
  ['host: 22', /port/],
  ['host:22x', /port/],
  ['host:٢٢', /port/],
  ['[::1]:', /port/],
  ['[::1]22', /not a name or an address/],
  ['[::1', /not a name or an address/],
  ['::1]', /not a name or an address/],
  ['host/path', /not a name or an address/],
  ['host:22:22', /not a name or an address/],
  ['fe80::1%', /not a name or an address/],
  ['[host:22]', /not a name or an address/],
  ['http://host', /port|not a name/],
  ['ssh://', /host is missing/],
  ['ssh://user@', /host is missing/],
  ['ssh://host/path', /no path/],
  ['ssh://[::1]:22', /no IPv6/],
  ['ssh://::1', /host is missing/],
  ['ssh://host:99999', /port/],
  ['ssh://host:', /port/],
  ['ssh://-h', /dash/],
  ['ssh://%2dh', /not a domain name/],
  ['ssh://h%00st', /not a domain name/],
  ['ssh://h%0ast', /not a domain name/],
  ['ssh://h%2fst', /not a domain name/],
  ['ssh://h%41st', /not a domain name/],
  ['ssh://h?x', /not a domain name/],
  ['ssh://h..x', /not a domain name/],
  ['ssh://%2doProxyCommand=x@host', /dash/],
  ['ssh://a%00b@host', /refuses/],
  ['ssh://a%0ab@host', /refuses/],
  ['ssh://a%3bb@host', /refuses/],
  ['ssh://a%zz@host', /percent-encoding/],
  ['ssh://a%ff@host', /percent-encoding/],
  ['ssh://a%2@host', /percent-encoding/],
  ['ssh://ssh%3a%2f%2fa@host', /an address itself/],
  ['x'.repeat(256), /longer than 255/],
  ['x'.repeat(300), /longer than 255/],
  [`${'u'.repeat(300)}@host`, /longer than 255/],
];

for (const [text, why] of refused) {
  t.test(`${JSON.stringify(text.slice(0, 60))} is refused in one line`, async (t) => {
    const error = refusalOf(text);
    t.match(error.message, why);
    t.equal(error.entry.exitCode, 64);
    t.ok(error.hint);
    t.ok(error.message.length < 250, 'short enough for a line');
    t.notMatch(error.message, /\p{Cc}/u, 'nothing of the input reaches the terminal');
  });
}

t.test('255 characters are not too long', async (t) => {
  t.equal(parseDestination('x'.repeat(255)).host.length, 255);
});

t.test('a user name of the configuration passes the same check', async (t) => {
  t.throws(() => checkUser('host', 'a;reboot'), { code: 'DESTINATION_INVALID', message: /'host'/ });
  t.doesNotThrow(() => checkUser('host', 'jürgen.müller+mail'));
});

t.test('what was formatted is read back the same', async (t) => {
  const random = seededRandom(20_240_607);
  const userLetters = [...'abcXYZ019._-@%+:/~!# ü\\[]'];
  const hostLetters = [...'abcXYZ019._-~!#%ü'];
  const addresses = ['::1', 'fe80::1%eth0', '2001:db8::ff00:42:8329', '::ffff:192.0.2.1', '192.0.2.1'];
  let taken = 0;
  for (let round = 0; round < 20_000; round += 1) {
    const user = random() < 0.5 ? undefined : randomString(random, userLetters, 1, 12);
    const host =
      random() < 0.3 ? (addresses[below(random, addresses.length)] ?? '') : randomString(random, hostLetters, 1, 12);
    const port = random() < 0.5 ? undefined : 1 + below(random, 65_535);
    const text = formatDestination({ user, host, port });
    let parsed: Destination;
    try {
      parsed = parseDestination(text);
    } catch {
      continue; // a dash in front, a blank before a dash: not a destination
    }
    taken += 1;
    if (parsed.user !== user || parsed.host !== host || parsed.port !== port) {
      t.same(parsed, { user, host, port }, text);
    }
  }
  t.ok(taken > 15_000, `${taken} of 20000 were destinations`);
});

t.test('whatever is read can be written and read again', async (t) => {
  const random = seededRandom(7);
  const pieces = [
    'ssh://',
    'SSH://',
    '@',
    ':',
    '[',
    ']',
    '22',
    'a',
    'b.c',
    '::1',
    '%eth0',
    '%40',
    '%2d',
    '/',
    '-',
    ' ',
    '+',
  ];
  let taken = 0;
  for (let round = 0; round < 50_000; round += 1) {
    const text = randomString(random, pieces, 1, 7);
    let parsed: Destination;
    try {
      parsed = parseDestination(text);
    } catch {
      continue;
    }
    taken += 1;
    const again = parseDestination(formatDestination(parsed));
    if (again.user !== parsed.user || again.host !== parsed.host || again.port !== parsed.port)
      t.same(again, parsed, text);
  }
  t.ok(taken > 1000, `${taken} were destinations`);
});
