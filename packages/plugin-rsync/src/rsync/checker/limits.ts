import { ViasshError } from '@viassh/core';

/** What a key may do: the command line of rrsync(1). */
export interface RrsyncLimits {
  /** As given: absolute, or relative to where the command runs. */
  readonly directory: string;
  /** Only fetching (`-ro`), only bringing (`-wo`). */
  readonly readOnly: boolean;
  readonly writeOnly: boolean;
  /** Symlinks are stored so that nobody can follow them. */
  readonly munge: boolean;
  /** Paths may begin with the folder's own absolute path. */
  readonly absolute: boolean;
  readonly noDelete: boolean;
  /** More than one at a time. */
  readonly noLock: boolean;
  readonly noOverwrite: boolean;
}

const FLAGS = {
  '-ro': 'readOnly',
  '-wo': 'writeOnly',
  '-munge': 'munge',
  '-absolute': 'absolute',
  '-no-del': 'noDelete',
  '-no-lock': 'noLock',
  '-no-overwrite': 'noOverwrite',
} as const;

/** How it is called, one line. */
export const rrsyncUsage =
  'viassh rrsync [-ro|-wo] [-munge] [-absolute] [-no-del] [-no-lock] [-no-overwrite] DIR, as a forced command';

/**
 * Reads the arguments of `viassh rrsync`: those of rrsync(1), with the same meaning.
 *
 * @throws ViasshError USAGE
 */
export function readRrsyncArguments(args: readonly string[]): RrsyncLimits {
  const found = new Set<string>();
  const directories: string[] = [];
  for (const word of args) {
    if (Object.hasOwn(FLAGS, word)) found.add(FLAGS[word as keyof typeof FLAGS]);
    else if (word.startsWith('-')) throw usage(`there is no option ${word}`);
    else directories.push(word);
  }
  const [directory] = directories;
  if (directory === undefined || directory === '' || directories.length > 1) throw usage('it wants one folder');
  const has = (name: (typeof FLAGS)[keyof typeof FLAGS]): boolean => found.has(name);
  if (has('readOnly') && has('writeOnly')) throw usage('-ro and -wo do not go together');
  return {
    directory,
    readOnly: has('readOnly'),
    writeOnly: has('writeOnly'),
    munge: has('munge'),
    absolute: has('absolute'),
    noDelete: has('noDelete') || has('readOnly'),
    noLock: has('noLock') || has('readOnly'),
    noOverwrite: has('noOverwrite'),
  };
}

function usage(what: string): ViasshError {
  return new ViasshError('USAGE', `rrsync: ${what}`, { hint: rrsyncUsage });
}
