import { describeExit, type ExitStatus, ViasshError } from '@viassh/core';
import type { GreetingOutcome } from './await-greeting.ts';
import { couldBeGreeting, type Greeting, greetingText } from './greeting.ts';
import type { StderrTail } from './stderr-tail.ts';

/** The `cause` of an IMAP_NO_GREETING: how the far end ended, and the end of its stderr, raw. */
export interface NoGreetingCause {
  /** `undefined`: it closed its output and did not end within the time allowed. */
  readonly exit: ExitStatus | undefined;
  readonly stderr: string;
}

/** What is known when a far end did not greet with PREAUTH. */
export interface RefusalFacts {
  readonly command: string;
  readonly timeoutMs: number;
  readonly exit: ExitStatus | undefined;
  readonly stderr: Pick<StderrTail, 'text' | 'lastLine'>;
}

/** The error for anything else than a PREAUTH greeting: IMAP_NOT_PREAUTH, _BYE, _NOISE, _NO_GREETING, _GREETING_TIMEOUT. */
export function refusal(outcome: GreetingOutcome, facts: RefusalFacts): ViasshError {
  if (outcome.kind === 'greeting') return refusedGreeting(outcome.greeting, facts);
  if (outcome.seen.length > 0 && !couldBeGreeting(outcome.seen)) return noise(outcome.seen, facts);
  return outcome.kind === 'timeout' ? silence(facts) : noGreeting(facts);
}

function refusedGreeting(greeting: Greeting, facts: RefusalFacts): ViasshError {
  const cause = greeting.line.toString('utf8');
  if (greeting.kind === 'not-preauth') {
    return new ViasshError(
      'IMAP_NOT_PREAUTH',
      `the IMAP server '${facts.command}' asks for a login: ${shown(greeting.line)}`,
      {
        hint: `start it already authenticated, as the user it is for, e.g. --command '/usr/lib/dovecot/imap'`,
        cause,
      },
    );
  }
  if (greeting.kind === 'bye') {
    const text = greetingText(greeting);
    return new ViasshError(
      'IMAP_BYE',
      `the IMAP server '${facts.command}' refused to serve: ${text || 'it gave no reason'}${aside(facts)}`,
      {
        hint: 'the reason is on the far end: look into the log of the IMAP server there',
        cause,
      },
    );
  }
  return noise(greeting.line, facts);
}

const notSilent =
  'when a start-up file of the shell there (.bashrc, .profile, .cshrc) prints this, make it silent for non-interactive shells; ' +
  'else the command is not an IMAP server';
const refusedToRun = 'the IMAP server will not run like this; Dovecot wants another user than root';

function noise(line: Buffer, facts: RefusalFacts): ViasshError {
  const text = line.toString('utf8');
  return new ViasshError(
    'IMAP_NOISE',
    `'${facts.command}' began with something that is no IMAP greeting: ${shown(line)}`,
    {
      hint: /^\* (?:BAD|NO)\b/i.test(text) ? refusedToRun : notSilent,
      cause: text,
    },
  );
}

function silence(facts: RefusalFacts): ViasshError {
  return new ViasshError(
    'IMAP_GREETING_TIMEOUT',
    `'${facts.command}' sent no IMAP greeting within ${facts.timeoutMs / 1000} s${aside(facts)}`,
    {
      hint: 'try the command by hand with ssh; when it is only slow, allow more with --greeting-timeout',
      cause: facts.stderr.text,
    },
  );
}

function noGreeting(facts: RefusalFacts): ViasshError {
  const { command, exit, stderr } = facts;
  const cause: NoGreetingCause = { exit, stderr: stderr.text };
  const [ending, hint] = endingOf(exit);
  return new ViasshError('IMAP_NO_GREETING', `the remote command '${command}' ${ending}${aside(facts)}`, {
    hint,
    cause,
  });
}

function endingOf(exit: ExitStatus | undefined): readonly [ending: string, hint: string] {
  // POSIX.1-2024, Shell Command Language §2.8.2: 127 not found, 126 found and not executable
  if (exit?.kind === 'status' && exit.code === 127) {
    return [
      'was not found (status 127)',
      `name it in full, e.g. --command '/usr/lib/dovecot/imap': the PATH of a remote command is a short one`,
    ];
  }
  if (exit?.kind === 'status' && exit.code === 126) {
    return ['cannot be executed (status 126)', 'it must be a program that this user may execute there'];
  }
  const hint =
    'the command must be an IMAP server on stdin and stdout that is already authenticated; -v shows all it says on stderr';
  if (exit === undefined) return ['closed its output without an IMAP greeting', hint];
  return [`ended with ${describeExit(exit)} before an IMAP greeting`, hint];
}

/** The far end's own words, when there are any. */
function aside({ stderr }: RefusalFacts): string {
  return stderr.lastLine === '' ? '' : `: ${cut(stderr.lastLine)}`;
}

function shown(line: Buffer): string {
  return line.toString('utf8').trim() === '' ? 'an empty line' : `"${cut(line.toString('utf8'))}"`;
}

function cut(text: string): string {
  return text.length > 200 ? `${text.slice(0, 200)}…` : text;
}
