import { refused } from './refused.ts';

/**
 * The words of a command as a shell would split them, and nothing else of a shell: quotes, `$`, `;` and the like are
 * characters of a word. Backslashes are still in them, for whoever expands wildcards; see {@link unescapeWord}.
 *
 * @throws ViasshError RSYNC_REFUSED for control characters, bytes that are no UTF-8, and a backslash at the end
 */
export function splitWords(command: string): string[] {
  if (/[^\P{Cc}\t]/u.test(command)) throw refused('there is a control character in the command');
  // What arrived in another encoding has become this character: it would be a name that nobody meant.
  if (command.includes('\ufffd'))
    throw refused('there are bytes in the command that are no UTF-8', 'name a folder above, whose name is UTF-8');
  const words = command.match(/(?:[^ \t\\]|\\.)+/gsu) ?? [];
  if (/(?:^|[^\\])(?:\\\\)*\\$/.test(command)) throw refused('the command ends with a backslash');
  return words;
}

/** A word without its backslashes: what rsync on the client's side meant. */
export function unescapeWord(word: string): string {
  return word.replace(/\\(.)/gsu, '$1');
}
