import {
  type ConnectOptions,
  type Connection,
  createLogger,
  type ResolvedDestination,
  type Route,
  type Transport,
} from '@viassh/core';
import t from 'tap';
import type { Environment } from '../../src/environment.ts';
import { openConnection, type OpenRequest, planConnection } from '../../src/library/open-connection.ts';

/** Surroundings with one transport that writes down what it is asked, and connects to two hops. */
function makeBench(): { environment: Environment; calls: string[]; options: ConnectOptions[] } {
  const calls: string[] = [];
  const options: ConnectOptions[] = [];
  const hops = [
    {
      peer: 'me@gate:22',
      state: 'up',
      hostKey: 'ssh-rsa SHA256:a',
      cipher: 'c1',
      serverVersion: 'SSH-2.0-\u001b[31mred',
    },
    { peer: 'me@far:22', state: 'up', hostKey: 'ssh-ed25519 SHA256:b', kex: 'k2', cipher: 'c2', roundTripMs: 4.25 },
  ] as const;
  const transport: Transport = {
    name: 'fake',
    capabilities: new Set(),
    available: async () => ({ ok: true, detail: 'always' }),
    prepare: async () => void calls.push('prepare'),
    async connect(_route: Route, given: ConnectOptions) {
      calls.push('connect');
      options.push(given);
      return { transport: 'fake', info: { ...hops[1], hops } } as unknown as Connection;
    },
  };
  const resolved = { hostName: 'far', proxyJump: [] } as unknown as ResolvedDestination;
  const environment = {
    config: { name: 'fake', resolve: async () => resolved },
    transports: [{ name: 'fake', load: async () => transport }],
  } as unknown as Environment;
  return { environment, calls, options };
}

function request(more: Partial<OpenRequest> = {}): OpenRequest {
  return {
    destination: 'far',
    typed: {},
    transport: 'auto',
    needs: [],
    log: createLogger('quiet', () => undefined),
    ...more,
  };
}

t.test('a transport is made ready before it connects, and not for a look', async (t) => {
  const { environment, calls } = makeBench();
  await planConnection(environment, request());
  t.strictSame(calls, []);
  await openConnection(environment, request());
  t.strictSame(calls, ['prepare', 'connect']);
});

t.test('the transport hears whether a session may be opened ahead', async (t) => {
  const { environment, options } = makeBench();
  for (const spareSession of [undefined, false]) await openConnection(environment, request({ spareSession }));
  t.strictSame(
    options.map(({ spareSession }) => spareSession),
    [undefined, false],
  );
});

t.test('every hop is logged with what is known of it, in plain text', async (t) => {
  const lines: string[] = [];
  const log = createLogger('info', (_level, line) => lines.push(line));
  await openConnection(makeBench().environment, request({ log }));
  t.strictSame(lines, [
    'transport fake: always',
    'through me@gate:22; host key ssh-rsa SHA256:a; cipher c1; logged in by unknown; SSH-2.0-\\u001b[31mred',
    'connected to me@far:22; host key ssh-ed25519 SHA256:b; key exchange k2; cipher c2; logged in by unknown; round trip 4.3 ms',
  ]);
});
