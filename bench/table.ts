import type { Spread, Standing } from './race.ts';

/** One race as lines of text. */
export function table(title: string, standings: readonly Standing[]): string {
  const hasTrips = standings.some(({ roundTrips }) => roundTrips !== undefined);
  const trips = (text: string): string[] => (hasTrips ? [text] : []);
  const rows = standings.map(({ name, unit, value, ratio, roundTrips }, index) => [
    name,
    `${figure(value.median)} ${unit}`,
    ...trips(`${roundTrips?.toFixed(1)} RTT`),
    range(value, figure),
    index === 0 ? '(the peer)' : `${hundredths(ratio.median)} x`,
    index === 0 ? '' : range(ratio, hundredths),
  ]);
  const all = [['', 'median', ...trips('round trips'), 'spread', 'ratio', 'spread'], ...rows];
  const failures = standings.flatMap(({ name, failed }) =>
    failed === undefined ? [] : `  FAILED: ${name}: ${failed}`,
  );
  return [title, ...textTable(all), ...failures, ''].join('\n');
}

/** Columns, the first to the left and the others to the right. */
export function textTable(rows: readonly (readonly string[])[]): string[] {
  const widths = rows[0]?.map((_, column) => Math.max(...rows.map((row) => row[column]?.length ?? 0))) ?? [];
  return rows.map((row) => {
    const cells = row.map((cell, column) =>
      column === 0 ? cell.padEnd(widths[0] ?? 0) : cell.padStart(widths[column] ?? 0),
    );
    return `  ${cells.join('  ').trimEnd()}`;
  });
}

function range({ lowest, highest }: Spread, show: (value: number) => string): string {
  return `${show(lowest)}..${show(highest)}`;
}

function figure(value: number): string {
  return value.toFixed(value < 10 ? 2 : value < 100 ? 1 : 0);
}

function hundredths(value: number): string {
  return value.toFixed(2);
}
