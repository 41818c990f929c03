import { refused } from './refused.ts';

/**
 * The words of a command as a shell would split them, and nothing else of a shell: quotes, `$`, `;` and the like are
 * characters of a word. Backslashes are still in them, for whoever expands wildcards; see {@link unescapeWord}.
 *
 * @throws ViasshError RSYNC_REFUSED for control characters and a backslash at the end
 */
export function splitWords(command: string): string[] {
  if (/[^\P{Cc}\t]/u.test(command)) throw refused('there is a control character in the command');
  const words = command.match(/(?:[^ \t\\]|\\.)+/gu) ?? [];
  if (/(?:^|[^\\])(?:\\\\)*\\$/.test(command)) throw refused('the command ends with a backslash');
  return words;
}

/** A word without its backslashes: what rsync on the client's side meant. */
export function unescapeWord(word: string): string {
  return word.replace(/\\(.)/gu, '$1');
}
