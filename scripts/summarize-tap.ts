/**
 * Reads TAP 14 on stdin, keeps it in the file named, and tells people what they need: a line a file, every failure in
 * full, every skip with its reason, the compliance and the fault table, and last `N passed, N failed, N skipped` (innermost tests).
 */
import { createWriteStream } from 'node:fs';
import { createInterface } from 'node:readline';
import { complianceTable } from './compliance-table.ts';
import { faultTable } from './fault-table.ts';
import { type Outcome, TapReader } from './tap-reader.ts';

const [file] = process.argv.slice(2);
const raw = file === undefined ? undefined : createWriteStream(file);
const reader = new TapReader();
for await (const line of createInterface({ input: process.stdin })) {
  raw?.write(`${line}\n`);
  const finished = reader.add(line);
  if (finished !== undefined) printFile(finished);
}
raw?.end();
const outcomes = reader.outcomes;
for (const table of [complianceTable(outcomes), faultTable(outcomes)]) if (table !== '') console.log(table);
for (const { path, reason } of outcomes.filter(({ result }) => result === 'skipped'))
  console.log(`SKIPPED ${path.join(' > ')}: ${reason}`);
const isWhole = reader.planned !== undefined && reader.planned === reader.files;
if (!isWhole)
  console.log(`the run was cut short: ${reader.files} of ${reader.planned ?? 'an unknown number of'} files ended`);
const count = (result: Outcome['result']): number => outcomes.filter((outcome) => outcome.result === result).length;
const [passed, failed, skipped] = [
  count('passed'),
  count('failed') + (reader.bailedOut || !isWhole ? 1 : 0),
  count('skipped'),
];
if (passed + failed === 0 || failed > 0 || (skipped > 0 && process.env['VIASSH_NO_SKIP'] === '1')) process.exitCode = 1;
if (skipped > 0 && process.env['VIASSH_NO_SKIP'] === '1')
  console.log('a skip is a failure here: every program can be installed');
console.log(`${passed} passed, ${failed} failed, ${skipped} skipped`);

function printFile({ path, result, milliseconds, output }: Outcome): void {
  console.log(
    `${result === 'failed' ? 'not ok' : 'ok'} ${path.join(' > ')}${milliseconds === undefined ? '' : ` (${Math.round(milliseconds)} ms)`}`,
  );
  if (result === 'failed') console.log(output.join('\n'));
}
