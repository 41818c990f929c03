import { readFileSync } from 'node:fs';
import { join } from 'node:path';
import t from 'tap';
import { Ajv } from 'ajv';
import { type BrokerConfig, configSchema, loadBrokerConfig, type ProbeConfig, type TunnelConfig } from '@viassh/broker';
import { pluginsForConfig } from './registry.ts';

/** What is written beside what is made of it; a key that one of the types gets or loses does not compile here. */
const written = {
  config: { share: true, idle: true, metrics: true, tunnels: true } satisfies Record<keyof BrokerConfig, true>,
  tunnel: {
    ...({
      via: true,
      ssh: true,
      plugin: true,
      words: true,
      listen: true,
      lazy: true,
      manual: true,
      wait: true,
      probe: true,
    } satisfies Record<Exclude<keyof TunnelConfig, 'options' | 'listensAt' | 'line'>, true>),
    forward: true,
    to: true,
    command: true,
    keepalive: true,
  },
  probe: { kind: true, every: true, timeout: true, command: true } satisfies Record<keyof ProbeConfig, true>,
};

const tunnels = configSchema.properties?.['tunnels']?.additionalProperties;
const tunnel = typeof tunnels === 'object' ? tunnels : {};
const probe = tunnel.properties?.['probe'] ?? {};

t.test('the published file is the schema that the broker reads by', async (t) => {
  const published = readFileSync(join(import.meta.dirname, '../../config.schema.json'), 'utf8');
  t.strictSame(JSON.parse(published), JSON.parse(JSON.stringify(configSchema)));
  t.ok(new Ajv({ allowUnionTypes: true }).compile(JSON.parse(published)), 'strictly');
});

t.test('schema and types have the same keys', async (t) => {
  t.strictSame(Object.keys(configSchema.properties ?? {}).toSorted(), Object.keys(written.config).toSorted());
  t.strictSame(Object.keys(tunnel.properties ?? {}).toSorted(), Object.keys(written.tunnel).toSorted());
  t.strictSame(Object.keys(probe.properties ?? {}).toSorted(), Object.keys(written.probe).toSorted());
});

t.test('the defaults that the schema tells are those that are taken', async (t) => {
  const config = await loadBrokerConfig(
    'config.yaml',
    'tunnels: {it: {via: g, plugin: imap, listen: 1, probe: {kind: http}}}',
    { plugins: pluginsForConfig(), runtimeFolder: '/run' },
  );
  const it: object = config.tunnels.get('it') ?? {};
  for (const [schema, values] of [
    [configSchema, config],
    [tunnel, it],
    [probe, config.tunnels.get('it')?.probe ?? {}],
  ] as const) {
    const told = Object.entries(schema.properties ?? {}).flatMap(([key, { default: value }]) =>
      value === undefined ? [] : [[key, value]],
    );
    t.ok(told.length > 0);
    t.match(values, Object.fromEntries(told));
  }
});
