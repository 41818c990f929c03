import type { Writable } from 'node:stream';

/** Rows of two cells, the second ones below each other. */
export function writeTable(stdout: Writable, rows: readonly (readonly [string, string])[]): void {
  const width = Math.max(0, ...rows.map(([name]) => name.length)) + 2;
  for (const [name, text] of rows) stdout.write(`${name.padEnd(width)}${text}\n`);
}
