import { readFileSync } from 'node:fs';
import { join } from 'node:path';
import t from 'tap';
import { configSchema, loadBrokerConfig } from '@viassh/broker';
import type { JsonSchema } from '../../src/config/config-schema.ts';
import { metricsText } from '../../src/status/metrics-text.ts';
import { aStatus } from '../status/a-status.ts';
import { pluginsForConfig } from './registry.ts';

const root = join(import.meta.dirname, '../../../..');
const text = readFileSync(join(root, 'docs/config.md'), 'utf8');

/** The lines below a heading, up to the next one. */
function section(heading: string): string {
  return text.split(/^## /m).find((part) => part.startsWith(`${heading}\n`)) ?? '';
}

/** The rows of a table whose first cell is a key. */
function rowsOf(heading: string): readonly string[] {
  return section(heading)
    .split('\n')
    .filter((line) => line.startsWith('| `'));
}

function rowOf(key: string, schema: JsonSchema): string {
  const value = schema.default === undefined ? '' : `\`${JSON.stringify(schema.default).replaceAll('"', '')}\``;
  const choice = schema.enum === undefined ? '' : `${schema.enum.map((each) => `\`${each}\``).join(', ')}: `;
  return `| \`${key}\` | ${value} | ${choice}${(schema.description ?? '').replaceAll('|', String.raw`\|`)} |`;
}

t.test('docs/config.md has every key of the schema, with its words and its default, and no other', async (t) => {
  const tunnels = configSchema.properties?.['tunnels']?.additionalProperties;
  const tunnel: JsonSchema = typeof tunnels === 'object' ? tunnels : {};
  const probe = tunnel.properties?.['probe'];
  for (const [heading, schema] of [
    ['The file', configSchema],
    ['A tunnel', tunnel],
    ['A probe', probe],
  ] as const) {
    const expected = Object.entries(schema?.properties ?? {}).map(([key, value]) => rowOf(key, value));
    t.ok(expected.length > 0);
    t.strictSame(rowsOf(heading), expected, heading);
  }
});

t.test('every example of docs/config.md is one that is taken', async (t) => {
  const examples = [...text.matchAll(/^```yaml\n([\s\S]*?)^```$/gm)].map(([, example = '']) => example);
  t.ok(examples.length >= 5);
  for (const example of examples) {
    const { tunnels } = await loadBrokerConfig('docs/config.md', example, {
      plugins: pluginsForConfig(),
      runtimeFolder: '/run/user/1000/viassh',
    });
    t.ok(tunnels.size > 0);
  }
});

for (const page of ['docs/guides/broker.md', 'README.md']) {
  t.test(`the configurations of ${page} are taken`, async (t) => {
    const examples = [...readFileSync(join(root, page), 'utf8').matchAll(/^```yaml\n([\s\S]*?)^```$/gm)];
    t.ok(examples.length > 0);
    for (const [, example = ''] of examples) {
      const { tunnels } = await loadBrokerConfig(page, example, {
        plugins: pluginsForConfig(),
        runtimeFolder: '/run/user/1000/viassh',
      });
      t.equal(tunnels.size > 0, example.includes('tunnels:'));
    }
  });
}

t.test('docs/config.md has every metric, and no other', async (t) => {
  const told = rowsOf('Metrics').flatMap((row) => [...row.matchAll(/`(viassh_\w+)`/g)].map(([, name = '']) => name));
  const served = [...(await metricsText(aStatus)).text.matchAll(/^# TYPE (\w+)/gm)].map(([, name = '']) => name);
  t.strictSame(told.toSorted(), served.toSorted());
});
