import { ViasshError } from '../errors/viassh-error.ts';

/**
 * One word of a command line or an assignment in a unit, in double quotes where it needs them: systemd.service(5), COMMAND
 * LINES. `%` is doubled, and `$` in a command.
 *
 * @throws ViasshError OPTION_INVALID when the word has quotes, backslashes or control characters
 */
export function quoteSystemdWord(word: string, place: 'command' | 'assignment' = 'command'): string {
  if (/[\p{Cc}'"\\]/u.test(word))
    throw new ViasshError('OPTION_INVALID', `a unit of systemd is not the place for this word: ${word}`, {
      hint: 'take one without quotes, backslashes and control characters; a name in ~/.ssh/config helps',
    });
  const percent = word.replaceAll('%', '%%');
  const doubled = place === 'command' ? percent.replaceAll('$', () => '$$') : percent;
  return /^[\w@%+=:,./-]+$/.test(word) ? doubled : `"${doubled}"`;
}
