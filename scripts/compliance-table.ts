import type { Outcome } from './tap-reader.ts';

const columns = ['openssh', 'ssh2', 'memory'];

/** What a cell says, from the best to the worst. */
const cells = ['passed', 'lacks', 'skipped', 'failed'] as const;
type Cell = (typeof cells)[number];

/** What a transport does not claim, when that is why a case was skipped: the suite's own words. */
export function notClaimed({ result, reason }: Outcome): string | undefined {
  return result === 'skipped' ? /^the (.+ transport has not: .+)$/.exec(reason)?.[1] : undefined;
}

/**
 * Which compliance case passes on which transport, as text. Cases are the tests named
 * `compliance NAME | area | case`; the memory transport is a model and is counted apart. `lacks`: the transport does
 * not claim the capability that the case is about.
 */
export function complianceTable(outcomes: readonly Outcome[]): string {
  const rows = new Map<string, Map<string, Cell>>();
  for (const outcome of outcomes) {
    const [, transport, name] =
      outcome.path
        .flatMap((part) => [/^compliance (\S+) \| (.*)$/.exec(part) ?? []])
        .find(({ length }) => length > 0) ?? [];
    if (transport === undefined || name === undefined || !columns.includes(transport)) continue;
    const row = rows.get(name) ?? new Map<string, Cell>();
    const cell = notClaimed(outcome) === undefined ? outcome.result : 'lacks';
    rows.set(name, row.set(transport, worse(row.get(transport), cell)));
  }
  if (rows.size === 0) return '';
  const width = Math.max(...[...rows.keys()].map((name) => name.length));
  const lines = [...rows].map(
    ([name, row]) =>
      `${name.padEnd(width)}  ${columns.map((column) => (row.get(column) ?? 'missing').padEnd(8)).join(' ')}`,
  );
  const count = (column: string, cell: Cell): number =>
    [...rows.values()].filter((row) => row.get(column) === cell).length;
  const totals = columns.map(
    (column) => `${column} ${count(column, 'passed')}/${rows.size} (lacks ${count(column, 'lacks')})`,
  );
  return [
    `${'compliance case'.padEnd(width)}  ${columns.map((column) => column.padEnd(8)).join(' ')}`,
    ...lines,
    `passed: ${totals.join(', ')}`,
  ].join('\n');
}

function worse(before: Cell | undefined, now: Cell): Cell {
  return before === undefined || cells.indexOf(now) > cells.indexOf(before) ? now : before;
}
