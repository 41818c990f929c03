import { openSync, writeSync } from 'node:fs';
import process from 'node:process';
import type { Writable } from 'node:stream';
import { createLogger, type Logger, type LogLevel, ViasshError } from '@viassh/core';
import { stderrLogger } from '../terminal/report.ts';
import type { AutosshSettings } from './autossh-settings.ts';

/**
 * Where it is said what happens: on stderr, or in the file of AUTOSSH_LOGFILE, or in both with AUTOSSH_DEBUG.
 *
 * @throws ViasshError OPTION_INVALID when the file cannot be opened
 */
export function openAutosshLog(
  { logFile, level, debug }: Pick<AutosshSettings, 'logFile' | 'level' | 'debug'>,
  stderr: Writable,
  usual: LogLevel,
): Logger {
  if (logFile === undefined) return stderrLogger(level ?? usual, stderr);
  const file = openFile(logFile);
  return createLogger(level ?? 'info', (own, message) => {
    const label = own === 'warning' || own === 'debug' ? `${own}: ` : '';
    append(file, `${timestamp(new Date())} autossh[${process.pid}]: ${label}${message}\n`);
    if (debug) stderr.write(`viassh: ${label}${message}\n`);
  });
}

function openFile(path: string): number {
  try {
    return openSync(path, 'a', 0o600);
  } catch (cause) {
    const reason = (cause as NodeJS.ErrnoException).code ?? 'unknown reason';
    throw new ViasshError('OPTION_INVALID', `AUTOSSH_LOGFILE: ${path} cannot be written (${reason})`, {
      hint: 'name a file in a folder that is there and where you may write',
      cause,
    });
  }
}

function append(file: number, line: string): void {
  try {
    writeSync(file, line);
  } catch {
    // A full disk ends no tunnel, and what comes when there is room again is written.
  }
}

/** As autossh writes it, in the time of this place. */
function timestamp(date: Date): string {
  const day = [date.getFullYear(), two(date.getMonth() + 1), two(date.getDate())].join('/');
  return `${day} ${[date.getHours(), date.getMinutes(), date.getSeconds()].map(two).join(':')}`;
}

function two(value: number): string {
  return String(value).padStart(2, '0');
}
