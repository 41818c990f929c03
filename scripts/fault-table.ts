import type { Outcome } from './tap-reader.ts';

const columns = ['openssh', 'ssh2'];

/** Which fault case passes on which transport, as text. Cases are the tests named `fault TRANSPORT | area | case`. */
export function faultTable(outcomes: readonly Outcome[]): string {
  const rows = new Map<string, Map<string, Outcome['result']>>();
  for (const { path, result } of outcomes) {
    const match = path.map((part) => /^fault (\S+) \| (.*)$/.exec(part)).find((found) => found !== null);
    const [, transport, name] = match ?? [];
    if (transport === undefined || name === undefined) continue;
    rows.set(name, (rows.get(name) ?? new Map<string, Outcome['result']>()).set(transport, result));
  }
  if (rows.size === 0) return '';
  const width = Math.max(...[...rows.keys()].map((name) => name.length));
  const line = (name: string, cells: readonly string[]): string =>
    `${name.padEnd(width)}  ${cells.map((cell) => cell.padEnd(8)).join(' ')}`.trimEnd();
  const totals = columns.map(
    (column) => `${column} ${[...rows.values()].filter((row) => row.get(column) === 'passed').length}/${rows.size}`,
  );
  return [
    line('fault case', columns),
    ...[...rows].map(([name, row]) =>
      line(
        name,
        columns.map((column) => row.get(column) ?? 'missing'),
      ),
    ),
    `passed: ${totals.join(', ')}`,
  ].join('\n');
}
