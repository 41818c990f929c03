#!/usr/bin/env node
import process from 'node:process';
import { runRemoteShell } from './programs/remote-shell.ts';

process.exit(await runRemoteShell(process.argv.slice(2)));
