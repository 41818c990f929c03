import { spawn } from 'node:child_process';
import { closeSync, mkdirSync, openSync, rmSync, statSync } from 'node:fs';
import { join } from 'node:path';
import process from 'node:process';
import { mainFile } from '../installation.ts';
import { asksForSharing } from './asks-for-sharing.ts';

/** Milliseconds until a broker that was started and never came up is tried again. */
const PATIENCE = 60_000;

/** What a broker is started with. */
export interface SharingOptions {
  readonly variables: NodeJS.ProcessEnv;
  readonly runtimeFolder: string;
  /** A proxy that `variables` has no more. */
  readonly usualProxy?: string | undefined;
}

/**
 * Where the configuration says `share: auto`: leaves a broker behind for the commands that follow. Nobody waits for it, one
 * of several commands starts it, and what goes wrong with it is nothing to the command. Never throws.
 */
export function startSharing({ variables, runtimeFolder, usualProxy }: SharingOptions): void {
  if (!asksForSharing(variables)) return;
  try {
    mkdirSync(runtimeFolder, { recursive: true, mode: 0o700 });
    if (!isOursToStart(markOf(runtimeFolder))) return;
    const broker = spawn(process.execPath, [mainFile, 'up', '--until-idle'], {
      cwd: '/',
      detached: true, // a Ctrl-C at the command is not for it
      stdio: 'ignore',
      env: { ...variables, ...(usualProxy === undefined ? {} : { VIASSH_PROXY: usualProxy }) },
    });
    broker.on('error', () => undefined).unref();
  } catch {
    // the command connects itself, as without a broker
  }
}

/** The broker is up: the next one may be started when this one has ended. */
export function sharingStarted(runtimeFolder: string): void {
  rmSync(markOf(runtimeFolder), { force: true });
}

function markOf(runtimeFolder: string): string {
  return join(runtimeFolder, 'broker.starting');
}

/** There is a file while one starts; whoever makes it is the one. */
function isOursToStart(mark: string): boolean {
  const made = statSync(mark, { throwIfNoEntry: false })?.mtimeMs;
  if (made !== undefined && Date.now() - made < PATIENCE) return false;
  rmSync(mark, { force: true });
  try {
    closeSync(openSync(mark, 'wx', 0o600));
    return true;
  } catch {
    return false;
  }
}
