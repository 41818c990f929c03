import { PassThrough } from 'node:stream';
import {
  type Connection,
  definePlugin,
  type PluginDefinition,
  pluginApiVersion,
  type ResolvedDestination,
  type Route,
  silentLogger,
  type Transport,
  ViasshError,
} from '@viassh/core';
import t from 'tap';
import { readGlobals } from '../../src/arguments/global-options.ts';
import type { CommandContext } from '../../src/commands/command-context.ts';
import { runPluginCommand } from '../../src/commands/run-plugin-command.ts';
import type { Environment } from '../../src/environment.ts';

const options = { loud: { type: 'boolean', summary: 'for others to hear' } } as const;
type Definition = PluginDefinition<typeof options>;

/** One run of a plugin against a transport that does as it is told. */
function makeBench(failure?: ViasshError) {
  const routes: Route[] = [];
  const transport: Transport = {
    name: 'fake',
    capabilities: new Set(['exec']),
    available: async () => ({ ok: true, detail: 'always' }),
    async connect(route) {
      routes.push(route);
      if (failure !== undefined) throw failure;
      return {
        transport: 'fake',
        capabilities: transport.capabilities,
        info: { peer: 'x', state: 'up', hops: [] },
        closed: new Promise(() => undefined),
        [Symbol.asyncDispose]: async () => undefined,
      } as unknown as Connection;
    },
  };
  const resolved = { hostName: 'far', typed: {}, proxyJump: [], serverAliveInterval: 0 } as unknown;
  const stop = new AbortController();
  const stderr = new PassThrough({ encoding: 'utf8' });
  const context = (argv: Readonly<Record<string, unknown>> = {}): CommandContext => ({
    globals: readGlobals(argv),
    environment: {
      config: { name: 'fake', resolve: async () => resolved as ResolvedDestination },
      transports: [{ name: 'fake', load: async () => transport }],
      variables: {},
      runtimeFolder: '/nowhere',
    } as unknown as Environment,
    usualProxy: undefined,
    stdin: new PassThrough(),
    stdout: new PassThrough(),
    stderr,
    log: silentLogger,
    exitAtOnceWith: () => undefined,
    signal: stop.signal,
  });
  const run = async (changes: Partial<Definition>, argv?: Readonly<Record<string, unknown>>): Promise<number> => {
    const plugin = definePlugin({
      apiVersion: pluginApiVersion,
      name: 'post',
      summary: 'post',
      options,
      needs: ['exec'],
      lifetime: 'one-shot',
      run: async () => ({ kind: 'status', code: 0 }),
      ...changes,
    });
    return await runPluginCommand(context(argv), plugin, 'far', {}, []);
  };
  return { run, routes, stop, said: () => (stderr.read() as string | null) ?? '' };
}

const refused = new ViasshError('AUTH_FAILED', 'no key was taken');

t.test('the exit status of the plugin is the exit code; how it ended must be known', async (t) => {
  const { run } = makeBench();
  t.equal(await run({ run: async () => ({ kind: 'status', code: 7 }) }), 7);
  t.equal(await run({ run: async () => ({ kind: 'signal', signal: 'TERM', coreDumped: false, message: '' }) }), 143);
  await t.rejects(run({ run: async () => ({ kind: 'missing' }) }), { code: 'EXIT_STATUS_MISSING' });
});

t.test('what is done on this machine dials nothing', async (t) => {
  const { run, routes } = makeBench();
  t.equal(
    await run({ runHere: async () => ({ kind: 'status', code: 3 }), run: async () => Promise.reject(refused) }),
    3,
  );
  t.equal(routes.length, 0);
  t.equal(await run({ runHere: async () => undefined }), 0);
  t.equal(routes.length, 1);
});

t.test('results are asked for as JSON on this machine and on the other', async (t) => {
  const { run } = makeBench();
  const asked: boolean[] = [];
  await run(
    {
      runHere: async ({ json }) => void asked.push(json),
      run: async ({ json }) => ({ kind: 'status', code: asked.push(json) }),
    },
    { json: true },
  );
  t.strictSame(asked, [true, true]);
});

t.test('keepalives are for plugins that ask for them', async (t) => {
  const { run, routes } = makeBench();
  await run({});
  await run({ keepalive: true });
  t.strictSame(
    routes.map(({ hops }) => hops[0].serverAliveInterval),
    [0, 60],
  );
});

t.test('an exit code of the plugin’s own counts for failures of connecting too, and the failure is told', async (t) => {
  const { run, said } = makeBench(refused);
  await t.rejects(run({}), refused);
  t.equal(said(), '', 'whoever catches it says it');
  t.equal(await run({ exitCodeOf: ({ code }) => (code === 'AUTH_FAILED' ? 75 : undefined) }), 75);
  t.match(said(), /no key was taken \(AUTH_FAILED\)/);
  t.equal(await run({ exitCodeOf: () => 75 }, { json: true }), 75);
  t.match(JSON.parse(said()), { error: { code: 'AUTH_FAILED' } });
});

t.test('it counts when a signal ends the run, and nothing is said then', async (t) => {
  const untilAborted: Definition['run'] = async ({ signal }) =>
    await new Promise((_, reject) => {
      signal.addEventListener('abort', () => reject(new ViasshError('ABORTED', 'stop')));
      stop.abort();
    });
  const { run, said, stop } = makeBench();
  t.equal(await run({ run: untilAborted, exitCodeOf: () => 75 }), 75);
  t.equal(said(), '');
  await t.rejects(makeBench().run({ run: async () => Promise.reject(new ViasshError('ABORTED', 'stop')) }), {
    code: 'ABORTED',
  });
});
