import { describeProxy, isViasshError, parseProxyAddress, type ProxyAddress } from '@viassh/core';
import t from 'tap';

const plain: ProxyAddress = { protocol: 'http', host: 'p', port: 3128, user: undefined, password: undefined };

t.test('what is read, and what is shown of it', async (t) => {
  for (const [text, expected, shown] of [
    ['http://p', {}, 'http://p:3128'],
    ['http://p/', {}, 'http://p:3128'],
    ['http://p:80', { port: 80 }, 'http://p:80'],
    ['http://p:080/', { port: 80 }, 'http://p:80'],
    ['http://u:80@p', { user: 'u', password: '80' }, 'http://u@p:3128'],
    ['socks5://p', { protocol: 'socks5', port: 1080 }, 'socks5://p:1080'],
    ['SOCKS5://p:80', { protocol: 'socks5', port: 80 }, 'socks5://p:80'],
    ['socks5h://u@p:9050', { protocol: 'socks5', port: 9050, user: 'u' }, 'socks5://u@p:9050'],
    ['socks5://u:s%40%3a%2F@p', { protocol: 'socks5', port: 1080, user: 'u', password: 's@:/' }, 'socks5://u@p:1080'],
    ['socks5://[2001:db8::1]:1', { protocol: 'socks5', host: '2001:db8::1', port: 1 }, 'socks5://[2001:db8::1]:1'],
    ['http://[::1]', { host: '::1' }, 'http://[::1]:3128'],
  ] as const) {
    const proxy = parseProxyAddress(text);
    t.strictSame(proxy, { ...plain, ...expected }, text);
    t.equal(describeProxy(proxy), shown);
    if (!('password' in expected)) t.strictSame(parseProxyAddress(shown), proxy, 'what is shown can be given again');
  }
});

t.test('what is no proxy is refused, and nothing of a password is shown', async (t) => {
  for (const text of [
    '',
    'p',
    'p:1080',
    'me:hunter2@p:1080',
    'ftp://me:hunter2@p',
    'https://me:hunter2@p',
    'socks4://me:hunter2@p',
    'socks5://',
    'socks5://me:hunter2@',
    'http://me:hunter2@p/path',
    'http://me:hunter2@p?query',
    'socks5://me:hunter2@p#hash',
    'socks5://me:hunter2@p:0',
    'socks5://me:hunter2@p:65536',
    'socks5://me:hunter2@p:x',
    'socks5://me:hunter2%zz@p',
    'socks5://:hunter2@p',
    'socks5://me:hunter2@-p',
    'socks5://me:hunter2@p%0d%0aq',
    'socks5://me:hunter2@p%20q',
  ]) {
    try {
      parseProxyAddress(text);
      t.fail(`${text} was accepted`);
    } catch (error) {
      if (!isViasshError(error, 'OPTION_INVALID')) throw error;
      t.notMatch(`${error.message} ${error.hint} ${error.stack}`, /hunter2/, text);
      t.equal(error.cause, undefined);
    }
  }
});
