import { assert, stub } from 'sinon';
import t from 'tap';
import { createRegistry, definePlugin, type pluginApiVersion } from '@viassh/core';
import { definitionWith } from './a-plugin.ts';

const plugin = definePlugin(definitionWith({ options: {} }));

t.test('only the plugin asked for is loaded', async (t) => {
  const load = stub().resolves(plugin);
  const other = stub().rejects(new Error('must not be loaded'));
  const registry = createRegistry([
    { name: 'other', summary: '', load: other },
    { name: 'nothing', summary: '', load },
  ]);
  assert.notCalled(load);
  t.equal(await registry.load('nothing'), plugin);
  assert.calledOnce(load);
  assert.notCalled(other);
  t.same(
    registry.entries.map(({ name }) => name),
    ['other', 'nothing'],
  );
});

t.test('a name that is not there', async (t) => {
  await t.rejects(createRegistry([]).load('__proto__'), {
    code: 'PLUGIN_UNKNOWN',
    message: /'__proto__'/,
    hint: /viassh plugins/,
  });
});

t.test('a plugin that cannot be loaded is named, the reason kept', async (t) => {
  const reason = new Error('Cannot find module');
  const registry = createRegistry([{ name: 'broken', summary: '', load: () => Promise.reject(reason) }]);
  await t.rejects(registry.load('broken'), { code: 'PLUGIN_INVALID', message: /plugin broken/, cause: reason });
});

const loadOld = async (): Promise<typeof plugin> =>
  definePlugin(definitionWith({ options: {}, apiVersion: 2 as unknown as typeof pluginApiVersion }));

t.test('a plugin that knows what is wrong with it is believed', async (t) => {
  const registry = createRegistry([{ name: 'old', summary: '', load: loadOld }]);
  await t.rejects(registry.load('old'), {
    code: 'PLUGIN_INVALID',
    message: /plugin API 2/,
    hint: /versions of viassh and of the plugin/,
  });
});
