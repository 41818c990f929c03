import { memoryRoute } from '@viassh/testing';
import t from 'tap';
import { leaseKey } from '../../src/index.ts';

const route = memoryRoute();
const [hop] = route.hops;
const key = leaseKey({ route, transport: 'auto' });
const withHop = (change: Partial<typeof hop>): string =>
  leaseKey({ route: { hops: [{ ...hop, ...change }] }, transport: 'auto' });

t.test('the same for the same settings, in whatever order they were set', async (t) => {
  t.match(key, /^[0-9a-f]{64}$/);
  t.equal(leaseKey({ transport: 'auto', route: { hops: [hop], proxy: undefined } }), key);
  t.equal(withHop(Object.fromEntries(Object.entries(hop).toReversed())), key);
  const raw = [...hop.raw, ['a', ['1']], ['b', ['2']]] as const;
  t.equal(withHop({ raw: new Map(raw) }), withHop({ raw: new Map(raw.toReversed()) }));
});

t.test('another one for all that decides about a login', async (t) => {
  const others = [
    leaseKey({ route, transport: 'ssh2' }),
    leaseKey({ route: { hops: [hop, hop] }, transport: 'auto' }),
    leaseKey({ route: { hops: [hop], proxy: { protocol: 'socks5', host: 'x', port: 1 } }, transport: 'auto' }),
    withHop({ user: 'other' }),
    withHop({ identityFiles: ['/other'] }),
    withHop({ identityAgent: '/other/agent' }),
    withHop({ forwardAgent: true }),
    withHop({ sessionEnv: { A: '1' } }),
    withHop({ sessionEnv: { A: '2' } }),
    withHop({ typed: { options: ['Compression=yes'] } }),
    withHop({ raw: new Map([['tunnel', ['yes']]]) }),
  ];
  t.equal(new Set([key, ...others]).size, others.length + 1);
});
