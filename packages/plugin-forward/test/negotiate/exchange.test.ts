import { randomInt } from 'node:crypto';
import { ViasshError } from '@viassh/core';
import t from 'tap';
import { beginExchange, type Exchange } from '../../src/negotiate/exchange.ts';
import { httpConnect } from '../../src/negotiate/http-connect.ts';
import type { SocksUsers } from '../../src/negotiate/proxy-users.ts';
import { socks } from '../../src/negotiate/socks.ts';
import type { Asked } from '../../src/negotiate/talk.ts';
import { randomFrom } from './random-from.ts';
import { bytes, cut, say } from './spoken.ts';

const users: SocksUsers = new Map([['anna', 'secret']]);
const open: SocksUsers | undefined = undefined;

function begin(protocol: 'socks' | 'http', users?: SocksUsers): Exchange {
  return beginExchange((talk) => (protocol === 'http' ? httpConnect(talk, users) : socks(talk, users)));
}

interface Case {
  readonly protocol: 'socks' | 'http';
  readonly users?: SocksUsers | undefined;
  readonly said: Buffer;
  readonly answers: Buffer;
  readonly target: string;
}

const basic = Buffer.from('anna:secret').toString('base64');
const good: Readonly<Record<string, Case>> = {
  'SOCKS 4': {
    protocol: 'socks',
    said: bytes(4, 1, 0, 80, 192, 0, 2, 7, 'anna', 0),
    answers: bytes(),
    target: '192.0.2.7:80',
  },
  'SOCKS 4a': {
    protocol: 'socks',
    said: bytes(4, 1, 0x1f, 0x90, 0, 0, 0, 1, 0, 'far.example', 0),
    answers: bytes(),
    target: 'far.example:8080',
  },
  'SOCKS 5, IPv4': {
    protocol: 'socks',
    said: bytes(5, 2, 1, 0, 5, 1, 0, 1, 192, 0, 2, 7, 1, 0xbb),
    answers: bytes(5, 0),
    target: '192.0.2.7:443',
  },
  'SOCKS 5, IPv6': {
    protocol: 'socks',
    said: bytes(5, 1, 0, 5, 1, 0, 4, 0x20, 1, 0xd, 0xb8, ...Array<number>(11).fill(0), 1, 0, 80),
    answers: bytes(5, 0),
    target: '2001:db8::1:80',
  },
  'SOCKS 5, a name and a login': {
    protocol: 'socks',
    users,
    said: bytes(5, 2, 0, 2, 1, 4, 'anna', 6, 'secret', 5, 1, 0, 3, 11, 'far.example', 0, 22),
    answers: bytes(5, 2, 1, 0),
    target: 'far.example:22',
  },
  'CONNECT of HTTP/1.1': {
    protocol: 'http',
    said: bytes('\r\nCONNECT far.example:443 HTTP/1.1\r\nHost: far.example:443\r\nContent-Length: 0\r\n\r\n'),
    answers: bytes(),
    target: 'far.example:443',
  },
  'CONNECT with a login, IPv6, and bare line ends': {
    protocol: 'http',
    users,
    said: bytes(`CONNECT [2001:DB8::0:1]:443 HTTP/1.1\nhost:[2001:db8::1]\nProxy-Authorization: bAsIc ${basic}\n\n`),
    answers: bytes(),
    target: '2001:db8::1:443',
  },
  'CONNECT of HTTP/1.0, without Host': {
    protocol: 'http',
    said: bytes('CONNECT far.example:22 HTTP/1.0\r\n\r\n'),
    answers: bytes(),
    target: 'far.example:22',
  },
};

/** The places between its bytes, behind this one. */
function inside(whole: Buffer, behind = 0): number[] {
  return [...whole.keys()].slice(behind + 1);
}

t.test('a request means the same wherever it is split, and loses no byte of what follows', async (t) => {
  const early = bytes('SSH-2.0-early\r\n', 0, 255);
  for (const [name, { protocol, users, said, answers, target }] of Object.entries(good)) {
    const whole = Buffer.concat([said, early]);
    const wrong: string[] = [];
    const check = (pieces: Buffer[], how: string): void => {
      const { step, answers: heard, left } = say(begin(protocol, users), pieces);
      const asked = step.kind === 'asked' ? `${step.asked.target.host}:${step.asked.target.port}` : step.kind;
      if (asked !== target || !heard.equals(answers) || !left.equals(early)) wrong.push(`${how}: ${asked}`);
    };
    check([whole], 'whole');
    check(cut(whole, ...inside(whole)), 'byte by byte');
    for (const first of inside(whole)) {
      check(cut(whole, first), `cut at ${first}`);
      for (const second of inside(whole, first)) check(cut(whole, first, second), `cut at ${first}, ${second}`);
    }
    t.strictSame(wrong, [], name);
  }
});

t.test('a request that is not whole is no request yet, at any length', async (t) => {
  for (const [name, { protocol, users, said }] of Object.entries(good)) {
    const wrong = inside(said).filter(
      (length) => begin(protocol, users).heard(said.subarray(0, length)).kind !== 'more',
    );
    t.strictSame(wrong, [], name);
  }
});

function v5(code: number): Buffer {
  return bytes(5, 0, 5, code, 0, 1, 0, 0, 0, 0, 0, 0);
}

function request(...rest: (number | string)[]): Buffer {
  return bytes(5, 1, 0, ...rest);
}

t.test('what is not done, or not said right, is refused in the words of the protocol', async (t) => {
  const v4 = [0, 91, 0, 0, 0, 0, 0, 0] as const;
  for (const [name, said, answers, message, accounts] of [
    ['BIND of 4', bytes(4, 2, 0, 80, 1, 2, 3, 4, 0), bytes(...v4), /BIND \(SOCKS 4\)/, open],
    ['an unknown command of 4', bytes(4, 9, 0, 80, 1, 2, 3, 4, 0), bytes(...v4), /the command 9/, open],
    ['port 0 of 4', bytes(4, 1, 0, 0, 1, 2, 3, 4, 0), bytes(...v4), /port 0/, open],
    ['a user of 4 without end', bytes(4, 1, 0, 80, 1, 2, 3, 4, 'u'.repeat(256)), bytes(...v4), /no end/, open],
    ['a user of 4 that is too long', bytes(4, 1, 0, 80, 1, 2, 3, 4, 'u'.repeat(256), 0), bytes(...v4), /no end/, open],
    ['a name of 4a without end', bytes(4, 1, 0, 80, 0, 0, 0, 1, 0, 'n'.repeat(256)), bytes(...v4), /no end/, open],
    ['no name of 4a', bytes(4, 1, 0, 80, 0, 0, 0, 1, 0, 0), bytes(...v4), /is no host/, open],
    [
      '4 where a login is wanted',
      bytes(4, 1, 0, 80, 1, 2, 3, 4, 'anna', 0),
      bytes(0, 93, 0, 0, 0, 0, 0, 0),
      /no passwords/,
      users,
    ],
    ['BIND of 5', request(5, 2, 0, 1, 1, 2, 3, 4, 0, 80), v5(7), /BIND \(SOCKS 5\)/, open],
    ['UDP', request(5, 3, 0, 1, 0, 0, 0, 0, 0, 0), v5(7), /UDP ASSOCIATE/, open],
    ['an unknown command of 5', request(5, 0xf0, 0, 3, 1, 'a', 0, 0), v5(7), /the command 240/, open],
    ['an unknown type of address', request(5, 1, 0, 2), v5(8), /type 2/, open],
    ['an empty name', request(5, 1, 0, 3, 0), v5(1), /is no host/, open],
    ['a name with blanks', request(5, 1, 0, 3, 3, 'a b'), v5(1), /is no host/, open],
    ['a name that begins with a dash', request(5, 1, 0, 3, 2, '-o'), v5(1), /is no host/, open],
    ['port 0 of 5', request(5, 1, 0, 1, 1, 2, 3, 4, 0, 0), v5(1), /port 0/, open],
    ['a request of version 4 in 5', request(4, 1, 0, 1), v5(1), /not of version 5/, open],
    ['no method', bytes(5, 0), bytes(5, 255), /wants a login/, open],
    ['a login nobody wants', bytes(5, 1, 2), bytes(5, 255), /wants a login/, open],
    ['no login', bytes(5, 1, 0), bytes(5, 255), /offered no user/, users],
    ['a wrong password', bytes(5, 1, 2, 1, 4, 'anna', 6, 'Secret'), bytes(5, 2, 1, 1), /not known/, users],
    ['an unknown user', bytes(5, 1, 2, 1, 4, 'otto', 0), bytes(5, 2, 1, 1), /not known/, users],
    ['a login of another version', bytes(5, 1, 2, 5), bytes(5, 2, 1, 1), /RFC 1929/, users],
    ['something else', bytes(0x16, 3, 1), bytes(), /does not speak SOCKS/, open],
  ] as const) {
    const { step, answers: heard } = say(begin('socks', accounts), [said]);
    t.match(step, { kind: 'turned-away', error: { message } }, name);
    t.strictSame(heard, answers, name);
  }
});

function login(text: string): string {
  return `Proxy-Authorization: Basic ${Buffer.from(text).toString('base64')}\r\n`;
}

t.test('an HTTP request that is no CONNECT, or a crooked one, gets the status for it', async (t) => {
  const host = 'Host: far.test:80\r\n';
  const connect = `CONNECT far.test:80 HTTP/1.1\r\n${host}`;
  for (const [name, said, status, accounts] of [
    ['GET of a page', `GET http://far.test/ HTTP/1.1\r\nHost: far.test\r\n\r\n`, 405, open],
    ['POST to itself', `POST / HTTP/1.1\r\nHost: 127.0.0.1:1080\r\nContent-Length: 9\r\n\r\n`, 405, open],
    ['a method that only looks like it', `connect far.test:80 HTTP/1.1\r\n${host}\r\n`, 405, open],
    ['HTTP/2', 'PRI * HTTP/2.0\r\n\r\nSM\r\n\r\n', 505, open],
    ['no HTTP', 'HELO there\r\n\r\n', 400, open],
    ['no Host', 'CONNECT far.test:80 HTTP/1.1\r\n\r\n', 400, open],
    ['two times Host', `${connect}${host}\r\n`, 400, open],
    ['another Host', 'CONNECT far.test:80 HTTP/1.1\r\nHost: other.test:80\r\n\r\n', 400, open],
    ['another port in Host', 'CONNECT far.test:80 HTTP/1.1\r\nHost: far.test:81\r\n\r\n', 400, open],
    ['another Host in HTTP/1.0', 'CONNECT far.test:80 HTTP/1.0\r\nHost: other.test\r\n\r\n', 400, open],
    ['no port', 'CONNECT far.test HTTP/1.1\r\nHost: far.test\r\n\r\n', 400, open],
    ['port 0', 'CONNECT far.test:0 HTTP/1.1\r\nHost: far.test:0\r\n\r\n', 400, open],
    ['port 65536', 'CONNECT far.test:65536 HTTP/1.1\r\nHost: far.test:65536\r\n\r\n', 400, open],
    ['a user in it', 'CONNECT anna@far.test:80 HTTP/1.1\r\nHost: anna@far.test:80\r\n\r\n', 400, open],
    ['IPv6 without brackets', 'CONNECT ::1:80 HTTP/1.1\r\nHost: ::1:80\r\n\r\n', 400, open],
    ['a body', `${connect}Content-Length: 5\r\n\r\nhello`, 400, open],
    ['a coded body', `${connect}Transfer-Encoding: chunked\r\n\r\n`, 400, open],
    ['a blank before the colon', `${connect}X : y\r\n\r\n`, 400, open],
    ['a continued line', `${connect}X: y\r\n z\r\n\r\n`, 400, open],
    ['a NUL', `${connect}X: \0\r\n\r\n`, 400, open],
    ['a CR in a line', `${connect}X: a\rb\r\n\r\n`, 400, open],
    ['an endless line', `CONNECT ${'a'.repeat(20_000)}`, 431, open],
    ['a long header that has an end', `${connect}${'X: y\r\n'.repeat(4000)}\r\n`, 431, open],
    ['endless lines', `${connect}${'X: y\r\n'.repeat(4000)}`, 431, open],
    ['no login', `${connect}\r\n`, 407, users],
    ['a wrong password', `${connect}${login('anna:Secret')}\r\n`, 407, users],
    ['a login without password', `${connect}${login('anna')}\r\n`, 407, users],
    ['two logins', `${connect}${login('anna:secret')}${login('anna:secret')}\r\n`, 407, users],
    ['another kind of login', `${connect}Proxy-Authorization: Digest a=b\r\n\r\n`, 407, users],
    ['GET without login', 'GET / HTTP/1.1\r\nHost: x\r\n\r\n', 407, users],
  ] as const) {
    const { step, answers } = say(begin('http', accounts), [bytes(said)]);
    const text = answers.toString();
    t.equal(step.kind, 'turned-away', name);
    t.match(text, new RegExp(`^HTTP/1\\.1 ${status} [A-Z][A-Za-z ]+\\r\\n`), name);
    const [head = '', body = ''] = text.split('\r\n\r\n');
    t.match(head, `Content-Length: ${Buffer.byteLength(body)}`, name);
    t.match(head, 'Connection: close', name);
    t.equal(head.includes('Proxy-Authenticate: Basic '), status === 407, name);
    t.equal(head.includes('Allow: CONNECT'), status === 405, name);
  }
});

t.test('what a client says comes back in an answer without line ends of its own', async (t) => {
  const { answers } = say(begin('http'), [bytes('CONNECT a\x85\u00e9:80 HTTP/1.1\r\n\r\n')]);
  t.match(answers.toString(), /^HTTP\/1\.1 400 /);
  t.notMatch(answers.toString(), '\u0085');
});

function asked(said: Buffer, protocol: 'socks' | 'http'): Asked {
  const { step } = say(begin(protocol), [said]);
  if (step.kind !== 'asked') throw new Error(step.kind);
  return step.asked;
}

function channel(reason: number, said: string): ViasshError {
  return new ViasshError('CHANNEL_REFUSED', 'x', { cause: Object.assign(new Error(said), { reason }) });
}

t.test('each failure of a target has its reply', async (t) => {
  const failed = new ViasshError('TARGET_DENIED', 'no');
  const socks5 = asked(good['SOCKS 5, IPv4']?.said ?? bytes(), 'socks');
  const socks4 = asked(good['SOCKS 4']?.said ?? bytes(), 'socks');
  const http = asked(good['CONNECT of HTTP/1.1']?.said ?? bytes(), 'http');
  for (const [error, reply, status] of [
    [failed, 2, 403],
    [channel(1, 'open failed'), 2, 403],
    [channel(2, 'Network is unreachable'), 3, 502],
    [channel(2, 'No route to host'), 4, 502],
    [channel(2, 'Name or service not known'), 4, 502],
    [channel(2, 'Connection refused'), 5, 502],
    [channel(2, 'Connection timed out'), 6, 504],
    [channel(4, ''), 1, 502],
    [new ViasshError('CONNECTION_LOST', 'x'), 1, 503],
    [new ViasshError('ABORTED', 'x'), 1, 503],
    [new ViasshError('CONNECT_TIMEOUT', 'x'), 6, 504],
    [new ViasshError('INTERNAL', 'x'), 1, 502],
  ] as const) {
    t.strictSame(socks5.refused(error), bytes(5, reply, 0, 1, 0, 0, 0, 0, 0, 0), error.code);
    t.strictSame(socks4.refused(error), bytes(0, 91, 0, 0, 0, 0, 0, 0), error.code);
    t.match(http.refused(error).toString(), new RegExp(`^HTTP/1\\.1 ${status} `), error.code);
  }
  t.strictSame(socks5.accepted({ address: '10.1.2.3', port: 513 }), bytes(5, 0, 0, 1, 10, 1, 2, 3, 2, 1));
  t.strictSame(
    socks5.accepted({ address: '2001:db8::1', port: 513 }),
    bytes(5, 0, 0, 4, 0x20, 1, 0xd, 0xb8, ...Array<number>(11).fill(0), 1, 2, 1),
  );
  t.strictSame(socks5.accepted(), bytes(5, 0, 0, 1, 0, 0, 0, 0, 0, 0));
  t.strictSame(socks4.accepted({ address: '::1', port: 513 }), bytes(0, 90, 2, 1, 0, 0, 0, 0));
});

t.test('a mistake of ours in a dialogue ends that one, as an error', async (t) => {
  const exchange = beginExchange(function* (talk) {
    throw new RangeError(`a mistake at ${(yield* talk.bytes(1))[0]}`);
  });
  t.match(exchange.heard(bytes(7)), { kind: 'turned-away', error: { code: 'INTERNAL', message: 'a mistake at 7' } });
});

t.test('garbage is an end or a wait, never a fault, and never kept beyond a header', async (t) => {
  const seed = randomInt(2 ** 31);
  t.comment(`seed ${seed}`);
  const below = randomFrom(seed);
  const wrong: string[] = [];
  for (let round = 0; round < 20_000; round += 1) {
    const protocol = below(3) === 0 ? 'http' : 'socks';
    const accounts = below(2) === 0 ? users : undefined;
    const exchange = begin(protocol, accounts);
    const base = Object.values(good)[below(Object.keys(good).length)]?.said ?? bytes();
    const garbage = mutate(base, below);
    try {
      const { step } = say(exchange, cut(garbage, below(garbage.length + 1)));
      if (step.kind === 'asked' && !isSane(step.asked.target)) wrong.push(garbage.toString('hex'));
    } catch (error) {
      wrong.push(`${String(error)}: ${garbage.toString('hex')}`);
    }
  }
  t.strictSame(wrong, []);
  for (const protocol of ['socks', 'http'] as const) {
    const exchange = begin(protocol);
    let kind = 'more';
    let total = 0;
    for (; kind === 'more' && total < 40_000; total += 100)
      kind = exchange.heard(protocol === 'http' ? Buffer.alloc(100, 'x') : bytes(4, 'x'.repeat(99))).kind;
    t.equal(kind, 'turned-away', protocol);
    t.ok(total <= 17_000, `${protocol}: after ${total} bytes`);
  }
});

function isSane({ host, port }: { host: string; port: number }): boolean {
  return port > 0 && port < 65_536 && /^[\w.:%-]+$/.test(host) && !host.startsWith('-');
}

function mutate(base: Buffer, below: (bound: number) => number): Buffer {
  if (below(8) === 0) return Buffer.from(Array.from({ length: 1 + below(600) }, () => below(256)));
  const bytes = Buffer.from(base);
  for (let times = 1 + below(4); times > 0; times -= 1) bytes[below(bytes.length)] = below(256);
  return below(3) === 0 ? bytes.subarray(0, 1 + below(bytes.length)) : bytes;
}
