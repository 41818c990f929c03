#!/usr/bin/env node
import process from 'node:process';
import { keepCompiledCode } from './compile-cache.ts';

keepCompiledCode(process.env);
const { runRemoteShell } = await import('./programs/remote-shell.ts');
process.exit(await runRemoteShell(process.argv.slice(2)));
