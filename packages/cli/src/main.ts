#!/usr/bin/env node
import process from 'node:process';
import { builtinPrograms } from './builtin.ts';
import { keepCompiledCode } from './compile-cache.ts';
import { splitAtProgram } from './programs/split-at-program.ts';

const argv = process.argv.slice(2);
const other = splitAtProgram(argv, ['rsh', 'rrsync', ...builtinPrograms.map(({ name }) => name)]);
// A forced command: its client may be able to write where compiled code would be kept.
if (other?.command === 'rrsync') {
  const { runRrsync } = await import('./programs/rrsync.ts');
  process.exit(await runRrsync(other.args));
}
keepCompiledCode(process.env);
if (other !== undefined) {
  const { runProgram } = await import('./programs/run-program.ts');
  process.exit(await runProgram(other));
}
const { keepYoungGenerationSmall } = await import('./young-generation.ts');
keepYoungGenerationSmall();
const { run } = await import('./run.ts');
// Every stream was flushed: what may still hold the process open is a terminal or pipe that we did not open.
process.exit(await run(argv));
