import t from 'tap';
import { typedOptions } from '../../src/arguments/typed-options.ts';

t.test('the proxy is the one typed, else that of the environment; none is none', async (t) => {
  const typed = { port: 1 };
  const usual = 'socks5://me:secret@gate';
  const given = (proxy: string | undefined, usually: string | undefined): unknown =>
    typedOptions({ typed, proxy }, usually);
  t.strictSame(given('http://own', usual), { port: 1, proxy: 'http://own' });
  t.strictSame(given(undefined, usual), { port: 1, proxy: 'socks5://me:secret@gate' });
  t.strictSame(given('none', usual), { port: 1 });
  t.strictSame(given(undefined, undefined), { port: 1 });
  t.strictSame(given(undefined, ''), { port: 1 });
});

t.test('a bad proxy of the environment: its variable is named, its text is not shown', async (t) => {
  const wrong = { code: 'OPTION_INVALID', message: /^VIASSH_PROXY: ((?!secret).)*$/, hint: /protocol:/ };
  t.throws(() => typedOptions({ typed: {}, proxy: undefined }, 'socks4://me:secret@gate'), wrong);
  t.strictSame(typedOptions({ typed: {}, proxy: 'none' }, 'socks4://me:secret@gate'), {});
});
