import { parseOptions } from '@viassh/core';
import t from 'tap';
import { linkOptions } from '../../src/plan/link-options.ts';
import { planOf } from '../../src/plan/link-plan.ts';
import { readTunSetup } from '../../src/far-ends/tun-setup.ts';

const plan = (raw: Readonly<Record<string, unknown>>, words: readonly string[] = []) =>
  planOf(parseOptions(linkOptions, raw, words));

t.test('addresses and routes that are read as something else', async (t) => {
  t.same(plan({ address: ['10.9.0.2:10.9.0.1', 'FD00:0::2,fd00::1', '10.8.0.4/24'] }).addresses, [
    { local: '10.9.0.2', remote: '10.9.0.1', prefix: 32 },
    { local: 'fd00::2', remote: 'fd00::1', prefix: 128 },
    { local: '10.8.0.4', prefix: 24 },
  ]);
  t.same(plan({ route: ['10.0.0.0/8,fd00::/8', 'default'] }).routes, ['10.0.0.0/8', 'fd00::/8', 'default']);
  t.same(plan({ ethernet: true }).far, ['viassh', 'tun']);
});

t.test('mistakes that are found only when the link is up', async (t) => {
  for (const raw of [
    { address: ['10.9.0.2:fd00::1'] },
    { address: ['10.9.0.2:10.9.0.2'] },
    { address: ['10.9.0.256/24'] },
    { route: ['10.0.0.0/33'] },
    { route: ['intranet'] },
    { onDown: 'maybe' },
    { far: 'vpn' },
    { far: 'tun', command: 'x' },
    { command: 'pppd' },
    { far: 'pppd', ethernet: true },
    { device: '-x' },
    { device: 'a/b' },
    { secretFile: 'f' },
    { serve: true, stdio: true },
  ])
    t.throws(() => plan(raw), { code: 'OPTION_INVALID' }, JSON.stringify(raw));
});

t.test('start-up noise of a shell that is taken for the result', async (t) => {
  t.same(readTunSetup('Welcome\nviassh-tun tun3 ok\n'), { kind: 'ok', device: 'tun3' });
  t.same(readTunSetup('viassh-tun none\n'), { kind: 'unknown' });
  t.same(readTunSetup('echo viassh-tun tun3 ok\n'), { kind: 'unknown' });
});
