import t from 'tap';
import {
  type ConfigSource,
  type Destination,
  destinationOf,
  formatDestination,
  type ResolvedDestination,
  resolveRoute,
  type TypedOptions,
  ViasshError,
  keepaliveSeconds,
  withKeepalive,
} from '@viassh/core';

interface Asked {
  readonly destination: string;
  readonly typed: TypedOptions;
  readonly signal: AbortSignal | undefined;
}

/** A ConfigSource that knows the ProxyJump of some hosts, and obeys typed options. */
function fakeSource(jumps: Readonly<Record<string, readonly string[]>>): ConfigSource & { readonly asked: Asked[] } {
  const asked: Asked[] = [];
  return {
    name: 'fake',
    asked,
    async resolve(destination: Destination, typed: TypedOptions, signal?: AbortSignal) {
      asked.push({ destination: formatDestination(destination), typed, signal });
      const typedJump = typed.options?.[0] === 'ProxyCommand=none' ? [] : typed.proxyJump?.split(',');
      const proxyJump = typedJump ?? jumps[destination.host] ?? [];
      return { destination, typed, hostName: destination.host, proxyJump } as unknown as ResolvedDestination;
    },
  };
}

async function hopsOf(source: ConfigSource, host: string, typed: TypedOptions = {}): Promise<string[]> {
  const route = await resolveRoute(source, { host }, typed);
  return route.hops.map((hop) => formatDestination(hop.destination));
}

t.test('a host without jumps is a route of one hop', async (t) => {
  const route = await resolveRoute(fakeSource({}), { host: 'end' }, {});
  t.equal(route.hops.length, 1);
  t.equal(destinationOf(route).hostName, 'end');
});

t.test('jumps are dialled in the order written, the destination last', async (t) => {
  t.same(await hopsOf(fakeSource({ end: ['a', 'u@b:2222', '[::1]:22', 'ssh://c:3'] }), 'end'), [
    'a',
    'u@b:2222',
    '[::1]:22',
    'c:3',
    'end',
  ]);
});

t.test('the first jump’s own jumps come before it, those of the others are passed over', async (t) => {
  const source = fakeSource({ end: ['a', 'b'], a: ['z'], b: ['wrong'], z: ['y'] });
  t.same(await hopsOf(source, 'end'), ['y', 'z', 'a', 'b', 'end']);
});

t.test('typed options but -F do not reach the jumps', async (t) => {
  const source = fakeSource({ a: ['z'] });
  const typed: TypedOptions = {
    configFile: '/my/config',
    options: ['StrictHostKeyChecking=no'],
    identityFiles: ['/key'],
    user: 'me',
    port: 2222,
    proxyJump: 'a,b',
    addressFamily: 'inet',
    compression: true,
  };
  t.same(await hopsOf(source, 'end', typed), ['z', 'a', 'b', 'end']);
  const typedFor = (host: string): unknown => source.asked.find(({ destination }) => destination === host)?.typed;
  t.equal(typedFor('end'), typed);
  t.same(typedFor('a'), { configFile: '/my/config' });
  t.same(typedFor('b'), { configFile: '/my/config', options: ['ProxyCommand=none'] });
  t.same(typedFor('z'), { configFile: '/my/config' });
});

t.test('jump hosts that need each other are a loop, not a hang', async (t) => {
  await t.rejects(resolveRoute(fakeSource({ a: ['b'], b: ['a'] }), { host: 'a' }, {}), {
    code: 'CONFIG_INVALID',
    message: /jump hosts of a /,
    hint: /loop/,
  });
  await t.rejects(resolveRoute(fakeSource({ a: ['a'] }), { host: 'a' }, {}), { code: 'CONFIG_INVALID' });
});

const chain = (length: number): string[] => Array.from({ length }, (_, index) => `j${index}`);

t.test('eight hops are a chain, nine are not', async (t) => {
  t.equal((await hopsOf(fakeSource({ end: chain(7) }), 'end')).length, 8);
  await t.rejects(hopsOf(fakeSource({ end: chain(8) }), 'end'), { code: 'CONFIG_INVALID' });
});

t.test('a jump that is no destination is refused', async (t) => {
  await t.rejects(hopsOf(fakeSource({ end: ['-oProxyCommand=x'] }), 'end'), { code: 'DESTINATION_INVALID' });
});

t.test('the signal reaches every question, a failure comes through', async (t) => {
  const { signal } = new AbortController();
  const source = fakeSource({ end: ['a'] });
  await resolveRoute(source, { host: 'end' }, {}, signal);
  t.same(
    source.asked.map((asked) => asked.signal === signal),
    [true, true],
  );
  const failing: ConfigSource = {
    name: 'failing',
    resolve: () => Promise.reject(new ViasshError('CONFIG_INVALID', 'bad line')),
  };
  await t.rejects(resolveRoute(failing, { host: 'end' }, {}), { code: 'CONFIG_INVALID', message: 'bad line' });
});

t.test('a proxy stands before the first hop, and only one way leads there', async (t) => {
  const source = fakeSource({ end: ['a'] });
  const route = await resolveRoute(source, { host: 'end' }, { proxy: 'socks5://u:pw@p' });
  t.strictSame(route.proxy, { protocol: 'socks5', host: 'p', port: 1080, user: 'u', password: 'pw' });
  t.notOk('proxy' in (await resolveRoute(source, { host: 'end' }, {})));

  const withCommand: ConfigSource = {
    name: 'fake',
    resolve: async (destination, typed, signal) => ({
      ...(await source.resolve(destination, typed, signal)),
      proxyCommand: destination.host === 'a' ? 'nc %h %p' : undefined,
    }),
  };
  await t.rejects(resolveRoute(withCommand, { host: 'end' }, { proxy: 'socks5://u:pw@p' }), {
    code: 'OPTION_INVALID',
    message: /a has a ProxyCommand/,
    hint: /ProxyCommand=none/,
  });
  t.equal((await resolveRoute(withCommand, { host: 'other' }, { proxy: 'http://p' })).proxy?.port, 3128);
});

t.test('a proxy that is none is refused, and its password not shown', async (t) => {
  const refused = resolveRoute(fakeSource({}), { host: 'end' }, { proxy: 'ftp://u:hunter2@p' });
  const error = await refused.catch((reason: unknown) => reason);
  t.match(error, { code: 'OPTION_INVALID' });
  t.notMatch(String(error) + String((error as ViasshError).hint), /hunter2/);
});

function hop(host: string, serverAliveInterval: number, options?: readonly string[]): ResolvedDestination {
  const alive = { serverAliveInterval, serverAliveCountMax: 1 };
  return { destination: { host }, typed: { port: 1, options }, ...alive } as unknown as ResolvedDestination;
}

t.test('keepalives are off where that was typed, and nowhere else', async (t) => {
  t.equal(keepaliveSeconds({ serverAliveInterval: 0, typed: {} }), 15);
  t.equal(keepaliveSeconds({ serverAliveInterval: 60, typed: {} }), 60);
  t.equal(keepaliveSeconds({ serverAliveInterval: 0, typed: { options: [' ServerAliveInterval = 0'] } }), 0);
});

t.test('keepalives are set on the destination where nothing is said of them, and nowhere else', async (t) => {
  const route = { hops: [hop('gate', 0), hop('end', 0, ['User=me'])] } as const;
  t.match(withKeepalive(route, 60), {
    hops: [
      route.hops[0],
      { serverAliveInterval: 60, typed: { port: 1, options: ['User=me', 'ServerAliveInterval=60'] } },
    ],
  });
  t.strictSame(withKeepalive(route, 60).hops[0], route.hops[0]);
  t.strictSame(route.hops[1].typed.options, ['User=me'], 'the route that was given is as it was');
  for (const said of [
    hop('end', 15),
    hop('end', 0, ['ServerAliveInterval=0']),
    hop('end', 0, ['  serveraliveinterval 0']),
  ]) {
    const own = { hops: [said] } as const;
    t.equal(withKeepalive(own, 60), own);
  }
  t.same(withKeepalive({ hops: [hop('end', 0)] }, 5).hops[0].typed.options, ['ServerAliveInterval=5']);
});

t.test('a silence lasts as many intervals as ServerAliveCountMax says, and not one more', async (t) => {
  const three = { ...hop('end', 5, ['ServerAliveCountMax=3']), serverAliveCountMax: 3 };
  t.match(withKeepalive({ hops: [three] }, 60).hops[0], {
    serverAliveInterval: 5,
    serverAliveCountMax: 2,
    typed: { options: ['ServerAliveCountMax=2', 'ServerAliveCountMax=3'] },
  });
});
