import { quoteWord, ViasshError } from '@viassh/core';

/**
 * A folder for mail, as mbsync and OfflineIMAP read it: from the root, or from `~`.
 *
 * @throws ViasshError OPTION_INVALID
 */
export function checkFolder(folder: string): string {
  if (/^(?:~\/|\/)[^\p{Cc}"\\]*[^\p{Cc}"\\/ ]$/u.test(folder)) return folder;
  throw new ViasshError('OPTION_INVALID', `not a folder for mail: '${folder}'`, {
    hint: 'it begins with / or ~/, does not end in a slash, and has no quote or backslash',
  });
}

/** The same folder for sh. */
export function inShell(folder: string): string {
  return folder.startsWith('~/') ? `"$HOME"/${quoteWord(folder.slice(2))}` : quoteWord(folder);
}
