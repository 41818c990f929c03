import { type FarEnd, parseTcpFarEnd, ViasshError } from '@viassh/core';

/** Where SMTP is spoken on the far end when nothing is named. */
export const DEFAULT_TO = 'localhost:25';

/** Where the SMTP server is: one of these, or none. */
export interface SmtpFarEnd {
  /** `HOST:PORT` as the far end dials it. Default: `localhost:25`. */
  readonly to?: string | undefined;
  /** A Unix socket of the far end. */
  readonly unix?: string | undefined;
  /** A command for the far end's shell that speaks SMTP on stdin and stdout: `/usr/sbin/sendmail -bs`. */
  readonly command?: string | undefined;
}

/**
 * `words`: a command once more, for those who cannot quote.
 *
 * @throws ViasshError OPTION_INVALID when more than one is named, or no host and port
 */
export function smtpFarEnd({ to, unix, command }: SmtpFarEnd, words: readonly string[] = []): FarEnd {
  const spoken = words.length > 0 ? words.join(' ') : undefined;
  if ([to, unix, command, spoken].filter((each) => each !== undefined).length > 1) {
    throw new ViasshError('OPTION_INVALID', 'the far end is named twice', {
      hint: 'give one of --to, --unix, --command, or a command behind --',
    });
  }
  const run = command ?? spoken;
  if (run !== undefined) return { kind: 'exec', command: run };
  return unix === undefined ? parseTcpFarEnd(to ?? DEFAULT_TO) : { kind: 'unix', path: unix };
}
