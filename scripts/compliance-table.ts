import type { Outcome } from './tap-reader.ts';

const columns = ['openssh', 'ssh2', 'memory'];

/**
 * Which compliance case passes on which transport, as text. Cases are the tests named
 * `compliance NAME | area | case`; the memory transport is a model and is counted apart.
 */
export function complianceTable(outcomes: readonly Outcome[]): string {
  const rows = new Map<string, Map<string, Outcome['result']>>();
  for (const { path, result } of outcomes) {
    const [, transport, name] =
      path.flatMap((part) => [/^compliance (\S+) \| (.*)$/.exec(part) ?? []]).find((match) => match.length > 0) ?? [];
    if (transport === undefined || name === undefined) continue;
    const row = rows.get(name) ?? new Map<string, Outcome['result']>();
    rows.set(name, row.set(transport, worse(row.get(transport), result)));
  }
  if (rows.size === 0) return '';
  const width = Math.max(...[...rows.keys()].map((name) => name.length));
  const lines = [...rows].map(
    ([name, row]) =>
      `${name.padEnd(width)}  ${columns.map((column) => (row.get(column) ?? 'missing').padEnd(8)).join(' ')}`,
  );
  const totals = columns.map(
    (column) => `${column} ${[...rows.values()].filter((row) => row.get(column) === 'passed').length}/${rows.size}`,
  );
  return [
    `${'compliance case'.padEnd(width)}  ${columns.map((column) => column.padEnd(8)).join(' ')}`,
    ...lines,
    `passed: ${totals.join(', ')}`,
  ].join('\n');
}

function worse(before: Outcome['result'] | undefined, now: Outcome['result']): Outcome['result'] {
  const order = ['passed', 'skipped', 'failed'] as const;
  return before === undefined || order.indexOf(now) > order.indexOf(before) ? now : before;
}
