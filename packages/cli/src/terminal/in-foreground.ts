import { readFileSync } from 'node:fs';
import process from 'node:process';

/** Are we what the terminal sends its signals to? Then whom we started has got them, too. proc_pid_stat(5): pgrp, tpgid. */
export function inForeground(): boolean {
  try {
    const [, , group, , , foreground] = readFileSync('/proc/self/stat', 'latin1')
      .replace(/^.*\) /s, '')
      .split(' ');
    return group === foreground;
  } catch {
    return process.stdin.isTTY;
  }
}
