#!/usr/bin/env node
import process from 'node:process';
import { setFlagsFromString } from 'node:v8';
import { builtinPrograms } from './builtin.ts';
import { keepCompiledCode } from './compile-cache.ts';
import { splitAtProgram } from './programs/split-at-program.ts';

keepCompiledCode(process.env);
const argv = process.argv.slice(2);
const other = splitAtProgram(argv, ['rsh', ...builtinPrograms.map(({ name }) => name)]);
if (other !== undefined) {
  const { runProgram } = await import('./programs/run-program.ts');
  process.exit(await runProgram(other));
}
// Every chunk that passes is garbage a moment later: a small young generation has it collected before it piles up to
// more than 100 MiB, and while the processor's cache still has it. V8 complains of flags it does not know.
if (process.versions.v8.startsWith('13.6.')) setFlagsFromString('--scavenger-max-new-space-capacity-mb=2');
const { run } = await import('./run.ts');
// Every stream was flushed: what may still hold the process open is a terminal or pipe that we did not open.
process.exit(await run(argv));
