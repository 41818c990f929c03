/**
 * Reads TAP 14 on stdin, keeps it in the file named, and tells people what they need: a line a file, every failure in
 * full, what transports do not claim, every other skip with its reason, the compliance and the fault table, and last
 * `N passed, N failed, N skipped` (innermost tests).
 */
import { createWriteStream } from 'node:fs';
import { createInterface } from 'node:readline';
import { complianceTable, notClaimed } from './compliance-table.ts';
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
const unclaimed = new Map<string, number>();
for (const words of outcomes.map(notClaimed).filter((words) => words !== undefined))
  unclaimed.set(words, (unclaimed.get(words) ?? 0) + 1);
for (const [words, cases] of unclaimed) console.log(`NOT CLAIMED the ${words} (${cases} cases)`);
const isSkipped = (outcome: Outcome): boolean => outcome.result === 'skipped' && notClaimed(outcome) === undefined;
for (const { path, reason } of outcomes.filter(isSkipped)) console.log(`SKIPPED ${path.join(' > ')}: ${reason}`);
const isWhole = reader.planned !== undefined && reader.planned === reader.files;
if (!isWhole)
  console.log(`the run was cut short: ${reader.files} of ${reader.planned ?? 'an unknown number of'} files ended`);
const count = (result: Outcome['result']): number => outcomes.filter((outcome) => outcome.result === result).length;
const [passed, failed, skipped] = [
  count('passed'),
  count('failed') + (reader.bailedOut || !isWhole ? 1 : 0),
  outcomes.filter(isSkipped).length,
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
