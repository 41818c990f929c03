import { spawnSync } from 'node:child_process';
import { isViasshError } from '@viassh/core';
import t, { type Test } from 'tap';
import {
  parseDynamicForward,
  parseLocalForward,
  parseRemoteForward,
  parseStdioForward,
} from '../../src/spec/parse-forward.ts';

const web = { kind: 'tcp', host: 'web', port: 80 };
const near = (host: string, port: number): object => ({ kind: 'tcp', host, port });
const there = (port: number, bindAddress?: string): object =>
  bindAddress === undefined ? { kind: 'tcpip', port } : { kind: 'tcpip', bindAddress, port };
const unix = (path: string): object => ({ kind: 'unix', path });

t.test('each form of -L that ssh takes is read as ssh reads it', async (t) => {
  const forms: Readonly<Record<string, readonly [listen: object, to: object]>> = {
    '8080:web:80': [near('localhost', 8080), web],
    '0:web:80': [near('localhost', 0), web],
    'localhost:8080:web:80': [near('localhost', 8080), web],
    '127.0.0.2:8080:web:80': [near('127.0.0.2', 8080), web],
    ':8080:web:80': [near('*', 8080), web],
    '*:8080:web:80': [near('*', 8080), web],
    '[::1]:8080:[fd00::2]:80': [near('::1', 8080), { kind: 'tcp', host: 'fd00::2', port: 80 }],
    '[fe80::1%eth0]:8080:web:80': [near('fe80::1%eth0', 8080), web],
    '8080:[web]:80': [near('localhost', 8080), web],
    '::1/8080/fd00::2/80': [near('::1', 8080), { kind: 'tcp', host: 'fd00::2', port: 80 }],
    '8080/web/80': [near('localhost', 8080), web],
    '*/8080/web/80': [near('*', 8080), web],
    '8080:/run/db.sock': [near('localhost', 8080), unix('/run/db.sock')],
    '[::1]:8080:/run/db.sock': [near('::1', 8080), unix('/run/db.sock')],
    ':8080:/run/db.sock': [near('*', 8080), unix('/run/db.sock')],
    '/tmp/db:web:80': [unix('/tmp/db'), web],
    '/tmp/db:[fd00::2]:80': [unix('/tmp/db'), { kind: 'tcp', host: 'fd00::2', port: 80 }],
    '/tmp/db:/run/db.sock': [unix('/tmp/db'), unix('/run/db.sock')],
    './db:./far': [unix('./db'), unix('./far')],
    '/tmp/a\\:b:/run/c\\:d': [unix('/tmp/a:b'), unix('/run/c:d')],
    '[/tmp/a:b]:web:80': [unix('/tmp/a:b'), web],
  };
  for (const [text, [listen, to]] of Object.entries(forms))
    t.strictSame(parseLocalForward(text), { kind: 'local', listen, to }, text);
});

t.test('-g opens what has no bind address of its own, and nothing else', async (t) => {
  t.match(parseLocalForward('8080:web:80', { gatewayPorts: true }).listen, near('*', 8080));
  t.match(parseLocalForward('localhost:8080:web:80', { gatewayPorts: true }).listen, near('localhost', 8080));
  t.match(parseLocalForward('127.0.0.1:8080:web:80', { gatewayPorts: true }).listen, near('127.0.0.1', 8080));
  t.match(parseDynamicForward('1080', 'socks', { gatewayPorts: true }).listen, near('*', 1080));
  t.match(parseLocalForward('/tmp/db:web:80', { gatewayPorts: true }).listen, unix('/tmp/db'));
});

t.test('each form of -R that ssh takes is read as ssh reads it', async (t) => {
  const here = { kind: 'tcp', host: 'web', port: 80 };
  const socks = { kind: 'socks' };
  const path = { kind: 'streamlocal', path: '/run/x.sock' };
  const forms: Readonly<Record<string, readonly [listen: object, to: object]>> = {
    '9030:web:80': [there(9030), here],
    '0:web:80': [there(0), here],
    'localhost:9030:web:80': [there(9030, 'localhost'), here],
    ':9030:web:80': [there(9030, '*'), here],
    '*:9030:web:80': [there(9030, '*'), here],
    '[::]:9030:web:80': [there(9030, '::'), here],
    '::/9030/web/80': [there(9030, '::'), here],
    '9030:/tmp/here': [there(9030), unix('/tmp/here')],
    '0.0.0.0:9030:/tmp/here': [there(9030, '0.0.0.0'), unix('/tmp/here')],
    '/run/x.sock:web:80': [path, here],
    '/run/x.sock:/tmp/here': [path, unix('/tmp/here')],
    '1080': [there(1080), socks],
    '0': [there(0), socks],
    '*:1080': [there(1080, '*'), socks],
    '[::1]:1080': [there(1080, '::1'), socks],
    '::1/1080': [there(1080, '::1'), socks],
    '/run/x.sock': [path, socks],
  };
  for (const [text, [listen, to]] of Object.entries(forms))
    t.strictSame(parseRemoteForward(text), { kind: 'remote', listen, to }, text);
});

t.test('each form of -D, --http and -W is read', async (t) => {
  const forms: Readonly<Record<string, object>> = {
    '1080': near('localhost', 1080),
    '0': near('localhost', 0),
    ':1080': near('*', 1080),
    'localhost:1080': near('localhost', 1080),
    '[::1]:1080': near('::1', 1080),
    '::1/1080': near('::1', 1080),
    '192.0.2.1/1080': near('192.0.2.1', 1080),
    './socks': unix('./socks'),
  };
  for (const [text, listen] of Object.entries(forms)) {
    t.strictSame(parseDynamicForward(text, 'socks'), { kind: 'dynamic', protocol: 'socks', listen }, text);
    t.strictSame(parseDynamicForward(text, 'http'), { kind: 'dynamic', protocol: 'http', listen }, text);
  }
  t.strictSame(parseStdioForward('web:80'), web);
  t.strictSame(parseStdioForward('[fd00::2]:80'), { kind: 'tcp', host: 'fd00::2', port: 80 });
  t.strictSame(parseStdioForward('/run/db.sock'), unix('/run/db.sock'));
});

const sshIsHere = spawnSync('ssh', ['-V']).status === 0;

t.test(
  'ssh itself reads them so, and refuses what we refuse',
  { skip: !sshIsHere && 'ssh is not installed' },
  async (t) => {
    const forms: Readonly<Record<string, readonly string[]>> = {
      '-L': [
        '8080:web:80',
        ':8080:web:80',
        '*:8080:web:80',
        '127.0.0.2:8080:[fd00::2]:80',
        '[::1]:8080:web:80',
        '8080:/run/db',
        '/tmp/a\\:b:web:80',
        '[/tmp/a:b]:/run/db',
        '8080:web:0',
        '8080:web',
        '8080',
        '::1:8080:web:80',
        '[::1:8080:web:80',
        '/tmp/db',
        '65536:web:80',
      ],
      '-R': [
        '1080',
        '*:1080',
        '0',
        '9030:web:80',
        '/run/x',
        '/run/x:/tmp/y',
        '[::]:9030:/tmp/y',
        '9030:web',
        '1:2:3:4:5',
      ],
    };
    for (const [option, texts] of Object.entries(forms)) {
      for (const text of texts) {
        const { status, stdout } = spawnSync('ssh', ['-F', 'none', '-G', option, text, 'host'], { encoding: 'utf8' });
        const theirs = status === 0 ? /^(?:local|remote)forward (.*)$/m.exec(stdout)?.[1] : undefined;
        t.equal(ourReading(option, text), theirs, `${option} ${text}`);
      }
    }
  },
);

/** As `ssh -G` prints it; undefined when we refuse it. */
function ourReading(option: string, text: string): string | undefined {
  try {
    const { listen, to } = option === '-L' ? parseLocalForward(text) : parseRemoteForward(text);
    const host = listen.kind === 'tcp' ? listen.host : listen.kind === 'tcpip' ? listen.bindAddress : undefined;
    const empty = text.startsWith(':') ? '' : host;
    const bind = host === undefined || host === 'localhost' ? '' : `[${empty}]:`;
    const from = 'path' in listen ? listen.path : `${bind}${listen.port}`;
    return `${from} ${to.kind === 'socks' ? '[socks]:0' : to.kind === 'unix' ? to.path : `[${to.host}]:${to.port}`}`;
  } catch (error) {
    if (isViasshError(error, 'OPTION_INVALID')) return undefined;
    throw error;
  }
}

t.test('what ssh would not take is refused, with what is wrong and what to write', async (t) => {
  const mistakes: readonly (readonly [read: () => unknown, problem: RegExp, hint: RegExp])[] = [
    [() => parseLocalForward(''), /nothing is given/, /\[BIND:\]PORT:HOST:HOSTPORT/],
    [() => parseLocalForward('8080'), /target wants a host and a port/, /PORT:HOST/],
    [() => parseLocalForward('8080:80'), /target wants a host and a port/, /PORT:HOST/],
    [() => parseLocalForward('8080:web'), /target wants a host and a port/, /PORT:HOST/],
    [() => parseLocalForward('/tmp/db'), /target wants a host and a port/, /path/],
    [() => parseLocalForward('/tmp/db:web'), /target wants a host and a port/, /path/],
    [() => parseLocalForward('8080:web:http'), /numbers, not 'http'/, /getent services http/],
    [() => parseLocalForward('www:web:80'), /numbers, not 'www'/, /getent services www/],
    [() => parseLocalForward('8080:web:0'), /from 1 to 65535, not 0/, /for listening/],
    [() => parseLocalForward('65536:web:80'), /from 0 to 65535, not 65536/, /PORT:HOST/],
    [() => parseLocalForward('-1:web:80'), /no port: '-1'/, /PORT:HOST/],
    [() => parseLocalForward('8080:web:'), /a port is missing/, /PORT:HOST/],
    [() => parseLocalForward('8080::80'), /host of the target is empty/, /localhost/],
    [() => parseLocalForward('8080:fd00::2:80'), /more parts/, /brackets/],
    [() => parseLocalForward('::1:8080:web:80'), /more parts/, /brackets/],
    [() => parseLocalForward('[::1:8080:web:80'), /bracket/, /\[ADDRESS\]:/],
    [() => parseLocalForward('[::1]8080:web:80'), /bracket/, /\[ADDRESS\]:/],
    [() => parseLocalForward('8080:web:80\\'), /bracket|backslash/, /./],
    [() => parseLocalForward('8080:/run/db:80'), /path has no port/, /path/],
    [() => parseLocalForward('8080:web:/run/db'), /numbers|no port/, /./],
    [() => parseLocalForward('/tmp/db:/run/db:80'), /more parts/, /path/],
    [() => parseLocalForward('8080:~/db.sock'), /~ is left/, /from the root/],
    [() => parseLocalForward(`/${'x'.repeat(107)}:web:80`), /more than 107 bytes/, /shorter/],
    [() => parseLocalForward('8080:we b:80'), /no host: 'we b'/, /PORT:HOST/],
    [() => parseRemoteForward('9030:localhost'), /target wants a host and a port/, /PORT:HOST/],
    [() => parseRemoteForward('/run/x:80'), /target wants a host and a port/, /path/],
    [() => parseDynamicForward('1080:web:80', 'socks'), /each client says itself/, /leave the target/],
    [() => parseDynamicForward('./socks:./far', 'socks'), /each client says itself/, /leave the target/],
    [() => parseDynamicForward('socks', 'http'), /numbers, not 'socks'/, /BIND/],
    [() => parseStdioForward('25'), /no host and port/, /localhost:25/],
    [() => parseStdioForward('web:80:81'), /no host and port/, /localhost:25/],
    [() => parseStdioForward('web:smtp'), /numbers, not 'smtp'/, /getent services smtp/],
  ];
  for (const [read, problem, hint] of mistakes) refuses(t, read, problem, hint);
});

function refuses(t: Test, read: () => unknown, problem: RegExp, hint: RegExp): void {
  try {
    t.fail(`not refused: ${JSON.stringify(read())}`);
  } catch (error) {
    if (!isViasshError(error, 'OPTION_INVALID')) throw error;
    t.match(error.message, problem, error.message);
    t.match(error.hint ?? '', hint, error.hint ?? error.message);
  }
}
