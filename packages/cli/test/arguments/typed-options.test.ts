import t from 'tap';
import { typedOptions } from '../../src/arguments/typed-options.ts';

t.test('the proxy is the one typed, else that of the environment; none is none', async (t) => {
  const typed = { port: 1 };
  const usual = { VIASSH_PROXY: 'socks5://me:secret@gate' };
  const given = (proxy: string | undefined, variables: NodeJS.ProcessEnv): unknown =>
    typedOptions({ typed, proxy }, variables);
  t.strictSame(given('http://own', usual), { port: 1, proxy: 'http://own' });
  t.strictSame(given(undefined, usual), { port: 1, proxy: 'socks5://me:secret@gate' });
  t.strictSame(given('none', usual), { port: 1 });
  t.strictSame(given(undefined, {}), { port: 1 });
  t.strictSame(given(undefined, { VIASSH_PROXY: '' }), { port: 1 });
});
