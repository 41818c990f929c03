import { describeExit, describeFarEnd, type ExitStatus, type FarEnd, ViasshError } from '@viassh/core';
import type { GreetingOutcome } from './greeting.ts';

/** The `cause` of an SMTP_PROTOCOL where no greeting came: how the far end's command ended, if it was one. */
export interface NoGreetingCause {
  readonly exit: ExitStatus | undefined;
}

/** What is known when a far end did not greet. */
export interface GreetingFacts {
  readonly farEnd: FarEnd;
  readonly timeoutMs: number;
  readonly exit: ExitStatus | undefined;
  /** The last thing it said on stderr; empty when it said nothing. */
  readonly lastLine: string;
}

/** The error for a far end that gave no greeting: SMTP_PROTOCOL, SMTP_TIMEOUT. */
export function greetingFailure(
  outcome: Exclude<GreetingOutcome, { readonly kind: 'greeting' }>,
  facts: GreetingFacts,
): ViasshError {
  const where = describeFarEnd(facts.farEnd);
  const exec = facts.farEnd.kind === 'exec';
  const aside = facts.lastLine === '' ? '' : `: ${facts.lastLine.slice(0, 200)}`;
  if (outcome.kind === 'noise') {
    const line = outcome.seen.toString('utf8').split('\n', 1)[0]?.trim().slice(0, 200);
    return new ViasshError('SMTP_PROTOCOL', `${where} began with something that is no SMTP greeting: "${line}"`, {
      hint: exec
        ? 'when a start-up file of the shell there (.bashrc, .profile, .cshrc) prints this, make it silent for non-interactive shells; else the command is no SMTP server on stdin and stdout'
        : 'name the port of the SMTP server there, e.g. --to localhost:25; TLS from the first byte (port 465) is not spoken',
      cause: outcome.seen.toString('utf8'),
    });
  }
  if (outcome.kind === 'timeout') {
    return new ViasshError(
      'SMTP_TIMEOUT',
      `${where} sent no SMTP greeting within ${facts.timeoutMs / 1000} s${aside}`,
      {
        hint: 'try again later; when the server is only slow, allow more with --greeting-timeout',
      },
    );
  }
  const cause: NoGreetingCause = { exit: facts.exit };
  if (!exec) {
    return new ViasshError('SMTP_PROTOCOL', `${where} closed the connection without an SMTP greeting`, {
      hint: 'look into the log of the mail server there: it does not serve connections from its own machine, or is overloaded',
      cause,
    });
  }
  const [ending, hint] = endingOf(facts.exit);
  return new ViasshError('SMTP_PROTOCOL', `the remote command ${where} ${ending}${aside}`, { hint, cause });
}

function endingOf(exit: ExitStatus | undefined): readonly [ending: string, hint: string] {
  // POSIX.1-2024, Shell Command Language §2.8.2: 127 not found, 126 found and not executable
  if (exit?.kind === 'status' && exit.code === 127) {
    return [
      'was not found (status 127)',
      `name it in full, e.g. --command '/usr/sbin/sendmail -bs': the PATH of a remote command is a short one`,
    ];
  }
  if (exit?.kind === 'status' && exit.code === 126)
    return ['cannot be executed (status 126)', 'it must be a program that this user may execute there'];
  const hint = 'the command must speak SMTP on stdin and stdout, as /usr/sbin/sendmail -bs does; -v shows its stderr';
  if (exit === undefined) return ['closed its output without an SMTP greeting', hint];
  return [`ended with ${describeExit(exit)} before an SMTP greeting`, hint];
}
