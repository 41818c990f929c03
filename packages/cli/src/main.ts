#!/usr/bin/env node
import { enableCompileCache } from 'node:module';
import process from 'node:process';

enableCompileCache();
const { run } = await import('./run.ts');
// What was written has been flushed: what may still hold the process open is a terminal or pipe that we did not open.
process.exit(await run(process.argv.slice(2)));
