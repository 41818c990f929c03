import { type FarEnd, quoteWord, type RecipeSituation, ViasshError } from '@viassh/core';
import { DEFAULT_TO, smtpFarEnd } from '../smtp-far-end.ts';

type FarEndOption = { readonly type: 'string'; readonly valueName: string; readonly summary: string };

/** What every recipe of a program that sends mail asks. */
export const relayOptions: Readonly<Record<'to' | 'unix' | 'command', FarEndOption>> = {
  to: { type: 'string', valueName: 'HOST:PORT', summary: `what the far end dials (default: ${DEFAULT_TO})` },
  unix: { type: 'string', valueName: 'PATH', summary: 'a Unix socket of the far end instead' },
  command: {
    type: 'string',
    valueName: 'COMMAND',
    summary: 'a command of the far end instead, e.g. /usr/sbin/sendmail -bs; or as words after --',
  },
};

/** The values of {@link relayOptions}. */
export interface RelayRecipeOptions {
  readonly to: string | undefined;
  readonly unix: string | undefined;
  readonly command: string | undefined;
  readonly words: readonly string[];
}

/**
 * The command line that speaks SMTP, for sh. Nobody is asked anything (BatchMode): mail is sent without anybody there.
 *
 * @throws ViasshError OPTION_INVALID
 */
export function relayCommand({ viassh, destination }: RecipeSituation, options: RelayRecipeOptions): string {
  const farEnd = smtpFarEnd(options, options.words);
  const line = [`${viassh} smtp -o BatchMode=yes ${destination}`, ...flag(farEnd, options)].join(' ');
  if (!/\p{Cc}/u.test(line)) return line;
  throw new ViasshError('OPTION_INVALID', 'a configuration has no way to write a control character', {
    hint: 'put the command into a script on the far end',
  });
}

function flag(farEnd: FarEnd, { to }: RelayRecipeOptions): string[] {
  if (farEnd.kind === 'exec') return ['--command', quoteWord(farEnd.command)];
  if (farEnd.kind === 'unix') return ['--unix', quoteWord(farEnd.path)];
  return to === undefined ? [] : ['--to', quoteWord(to)];
}
