import { type SinonStub, assert, spy, stub } from 'sinon';
import t from 'tap';
import {
  type Capability,
  type Connection,
  type LocalContext,
  type PluginContext,
  type PreparedPlugin,
  runPlugin,
  ViasshError,
} from '@viassh/core';

const context = {} as LocalContext;

function connectionWith(...capabilities: readonly Capability[]): {
  readonly connection: Connection;
  readonly disposed: SinonStub;
} {
  const disposed = stub().resolves();
  const connection = { capabilities: new Set(capabilities), [Symbol.asyncDispose]: disposed } as unknown as Connection;
  return { connection, disposed };
}

function pluginWith(
  run: PreparedPlugin['run'],
  needs: readonly Capability[] = ['exec'],
): Pick<PreparedPlugin, 'name' | 'needs' | 'run'> {
  return { name: 'plugin', needs, run };
}

t.test('the plugin gets the connection, its status is the result, the connection is closed after', async (t) => {
  const { connection, disposed } = connectionWith('exec');
  const run = spy(async ({ connection: own }: PluginContext) => {
    t.equal(own, connection);
    assert.notCalled(disposed);
    return { kind: 'status', code: 7 } as const;
  });
  t.same(await runPlugin(pluginWith(run), connection, context), { kind: 'status', code: 7 });
  assert.calledOnce(disposed);
});

t.test('a failing plugin’s error comes through and the connection is closed', async (t) => {
  for (const fail of [
    () => Promise.reject(new ViasshError('IMAP_BYE', 'bye')),
    () => {
      throw new ViasshError('IMAP_BYE', 'bye');
    },
  ]) {
    const { connection, disposed } = connectionWith('exec');
    await t.rejects(runPlugin(pluginWith(fail), connection, context), { code: 'IMAP_BYE' });
    assert.calledOnce(disposed);
  }
});

t.test('a missing capability is named, the plugin not run, the connection closed', async (t) => {
  const { connection, disposed } = connectionWith('exec');
  const run = stub();
  const plugin = pluginWith(run, ['exec', 'pty', 'direct-tcpip']);
  await t.rejects(runPlugin(plugin, connection, context), {
    code: 'CAPABILITY_MISSING',
    message: 'plugin needs pty, direct-tcpip',
  });
  assert.notCalled(run);
  assert.calledOnce(disposed);
});
