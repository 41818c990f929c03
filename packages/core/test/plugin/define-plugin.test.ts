import t from 'tap';
import {
  definePlugin,
  type ExitStatus,
  type LocalContext,
  type PluginContext,
  type pluginApiVersion,
  ViasshError,
} from '@viassh/core';
import { definitionWith } from './a-plugin.ts';

const listen = { type: 'boolean', summary: 'stay' } as const;

t.test('what follows from the options is asked with the options', async (t) => {
  const plugin = definePlugin(
    definitionWith({
      options: { listen },
      needs: (options) => (options.listen ? ['exec', 'direct-tcpip'] : ['exec']),
      lifetime: (options) => (options.listen ? 'resident' : 'one-shot'),
    }),
  );
  t.match(plugin.prepare({}, []), { name: 'nothing', needs: ['exec'], lifetime: 'one-shot' });
  t.match(plugin.prepare({ listen: true }, []), { needs: ['exec', 'direct-tcpip'], lifetime: 'resident' });
});

t.test('run gets the context, the checked options and the words', async (t) => {
  const seen: unknown[] = [];
  const plugin = definePlugin(
    definitionWith({
      options: { listen },
      words: { name: 'COMMAND', summary: 'what runs' },
      run: async (context, options) => {
        seen.push(context, options);
        return { kind: 'status', code: 7 };
      },
    }),
  );
  const context = {} as PluginContext;
  t.same(await plugin.prepare({}, ['imapd', '-x']).run(context), { kind: 'status', code: 7 });
  t.equal(seen[0], context);
  t.same(seen[1], { listen: false, words: ['imapd', '-x'] });
});

t.test('run keeps its own this', async (t) => {
  const definition = definitionWith({
    options: {},
    async run(): Promise<ExitStatus> {
      return { kind: 'status', code: this?.summary?.length ?? 0 };
    },
  });
  const exit = await definePlugin(definition)
    .prepare({}, [])
    .run({} as PluginContext);
  t.same(exit, { kind: 'status', code: 'does nothing'.length });
});

t.test('wrong options and unexpected words are refused before anything runs', async (t) => {
  const plugin = definePlugin(definitionWith({ options: { listen } }));
  t.throws(() => plugin.prepare({ nonsense: true }, []), { code: 'OPTION_INVALID', message: /--nonsense/ });
  t.throws(() => plugin.prepare({}, ['word']), { code: 'OPTION_INVALID', message: /nothing takes no words/ });
});

t.test('a plugin for another version of the contract is refused by both numbers', async (t) => {
  const apiVersion = 99 as unknown as typeof pluginApiVersion;
  t.throws(() => definePlugin(definitionWith({ options: {}, apiVersion })), {
    code: 'PLUGIN_INVALID',
    message: /API 99, this is 1/,
    hint: /versions/,
  });
});

t.test('what help needs is there without preparing', async (t) => {
  const plugin = definePlugin(
    definitionWith({ options: { listen }, examples: [{ command: 'nothing host', summary: 'rest' }] }),
  );
  t.match(plugin, {
    name: 'nothing',
    summary: 'does nothing',
    options: { listen },
    examples: [{ command: 'nothing host' }],
  });
});

t.test('what is not defined is quiet: no keepalive, nothing done here, no exit code of its own', async (t) => {
  const prepared = definePlugin(definitionWith({ options: {} })).prepare({}, []);
  t.equal(prepared.keepalive, false);
  t.equal(await prepared.runHere({} as LocalContext), undefined);
  t.equal(prepared.exitCodeOf(new ViasshError('AUTH_FAILED', 'no')), undefined);
});

t.test('work on this machine and exit codes are asked with the options', async (t) => {
  const seen: unknown[] = [];
  const plugin = definePlugin(
    definitionWith({
      options: { listen },
      keepalive: true,
      runHere: async (context, options) => {
        seen.push(context);
        return options.listen ? { kind: 'status', code: 3 } : undefined;
      },
      exitCodeOf: ({ code }, options) => (code === 'AUTH_FAILED' && options.listen ? 75 : undefined),
    }),
  );
  const context = {} as LocalContext;
  const [idle, listening] = [plugin.prepare({}, []), plugin.prepare({ listen: true }, [])];
  t.equal(idle.keepalive, true);
  t.equal(await idle.runHere(context), undefined);
  t.same(await listening.runHere(context), { kind: 'status', code: 3 });
  t.equal(seen[0], context);
  t.equal(listening.exitCodeOf(new ViasshError('AUTH_FAILED', 'no')), 75);
  t.equal(idle.exitCodeOf(new ViasshError('AUTH_FAILED', 'no')), undefined);
  t.equal(listening.exitCodeOf(new ViasshError('CONFIG_INVALID', 'no')), undefined);
});
