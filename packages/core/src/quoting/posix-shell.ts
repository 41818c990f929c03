import { ViasshError } from '../errors/viassh-error.ts';

// As the first word, bare: reserved (POSIX.1-2024 §2.4 and what bash, ksh and zsh add). An `=` would make it an assignment.
const RESERVED =
  /^(?:if|then|else|elif|fi|do|done|case|esac|while|until|for|in|function|select|time|coproc|namespace|foreach|repeat|end|nocorrect|noglob)$/;

/**
 * One word, quoted for any POSIX shell (POSIX.1-2024, Shell Command Language §2.2.2): the shell that reads the
 * result sees exactly `word`. NUL cannot be in an argument at all.
 *
 * @throws ViasshError OPTION_INVALID when the word has a NUL.
 */
export function quoteWord(word: string): string {
  if (word.includes('\0')) throw new ViasshError('OPTION_INVALID', 'a word of a command has a NUL in it');
  if (/^[\w@%+:,./-]+$/.test(word) && !RESERVED.test(word)) return word;
  return `'${word.replaceAll("'", `'\\''`)}'`;
}

/** A command from its words, each quoted, separated by one blank. */
export function quoteCommand(words: readonly string[]): string {
  return words.map(quoteWord).join(' ');
}
