import t from 'tap';
import { readGlobals } from '../../src/arguments/global-options.ts';

t.test('nothing given: nothing typed, auto, warnings', async (t) => {
  t.strictSame(readGlobals({}), {
    typed: {
      configFile: undefined,
      options: [],
      identityFiles: [],
      user: undefined,
      port: undefined,
      proxyJump: undefined,
      addressFamily: undefined,
      compression: false,
      forwardAgent: undefined,
    },
    proxy: undefined,
    transport: 'auto',
    noBroker: false,
    json: false,
    level: 'warning',
    noStdin: false,
  });
});

t.test('of several values ssh takes the first; -o and -i add up', async (t) => {
  const { typed, transport } = readGlobals({
    'config-file': ['a', 'b'],
    login: ['one', 'two'],
    port: ['1', '2'],
    jump: ['x', 'y'],
    option: ['A=1', 'B=2'],
    identity: 'k',
    transport: ['ssh2', 'openssh'],
  });
  t.match(typed, {
    configFile: 'a',
    user: 'one',
    port: 1,
    proxyJump: 'x',
    options: ['A=1', 'B=2'],
    identityFiles: ['k'],
  });
  t.equal(transport, 'ssh2');
});

t.test('levels: -q wins over -v; -v is info, -vv is debug', async (t) => {
  t.equal(readGlobals({ verbose: 0 }).level, 'warning');
  t.equal(readGlobals({ verbose: 1 }).level, 'info');
  t.equal(readGlobals({ verbose: 2 }).level, 'debug');
  t.equal(readGlobals({ verbose: 9 }).level, 'debug');
  t.equal(readGlobals({ verbose: 1, quiet: true }).level, 'error');
});

t.test('-4 wins over -6', async (t) => {
  t.equal(readGlobals({ inet: true, inet6: true }).typed.addressFamily, 'inet');
  t.equal(readGlobals({ inet6: true }).typed.addressFamily, 'inet6');
});

t.test('a port is a number from 1 to 65535', async (t) => {
  t.equal(readGlobals({ port: '65535' }).typed.port, 65535);
  for (const port of ['0', '65536', '-1', '22x', '', ' 22', '1e3', '0x16', '٢٢', '100000']) {
    t.throws(() => readGlobals({ port }), { code: 'OPTION_INVALID', hint: /./ }, JSON.stringify(port));
  }
});

t.test('--control is a transport of its own', async (t) => {
  t.match(readGlobals({ control: '/run/cm' }), { transport: 'control', control: '/run/cm' });
  t.match(readGlobals({ control: ['a', 'b'], transport: 'control' }), { transport: 'control', control: 'a' });
  for (const values of [
    { control: 'a', transport: 'openssh' },
    { control: 'a', transport: 'ssh2' },
    { control: '' },
    { transport: 'control' },
  ]) {
    t.throws(() => readGlobals(values), { code: 'USAGE', hint: /./ }, JSON.stringify(values));
  }
});

t.test('of -A and -a the last one counts', async (t) => {
  t.equal(readGlobals({ 'forward-agent': true }).typed.forwardAgent, true);
  t.equal(readGlobals({ 'forward-agent': [true, false] }).typed.forwardAgent, false);
  t.equal(readGlobals({ 'forward-agent': [false, true] }).typed.forwardAgent, true);
});

t.test('a proxy is an address without a password, or none', async (t) => {
  for (const proxy of ['socks5://gate:1080', 'http://me@gate', 'none']) t.equal(readGlobals({ proxy }).proxy, proxy);
  t.throws(() => readGlobals({ proxy: 'gate:1080' }), { code: 'OPTION_INVALID', hint: /./ });
  const secret = { proxy: 'socks5://me:hunter2@gate' };
  t.throws(() => readGlobals(secret), { code: 'OPTION_INVALID', message: /^((?!hunter2).)*$/, hint: /VIASSH_PROXY/ });
});
