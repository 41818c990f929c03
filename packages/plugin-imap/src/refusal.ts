import { describeExit, type ExitStatus, type StderrTail, ViasshError } from '@viassh/core';
import type { GreetingOutcome } from './await-greeting.ts';
import { couldBeGreeting, type Greeting, greetingText } from './greeting.ts';
import { describeMailServer, type MailServer, openingOf } from './mail-server.ts';

/** The `cause` of an IMAP_NO_GREETING: how the server ended, and the end of its stderr, raw. */
export interface NoGreetingCause {
  /** `undefined`: it closed its output and did not end within the time allowed, or it is no command. */
  readonly exit: ExitStatus | undefined;
  readonly stderr: string;
}

/** What is known when a server did not greet as it should. */
export interface RefusalFacts {
  readonly server: MailServer;
  readonly timeoutMs: number;
  readonly exit: ExitStatus | undefined;
  readonly stderr: Pick<StderrTail, 'text' | 'lastLine'>;
}

/** The error for anything else than a welcome: IMAP_NOT_PREAUTH, _BYE, _NOISE, _NO_GREETING, _GREETING_TIMEOUT. */
export function refusal(outcome: GreetingOutcome, facts: RefusalFacts): ViasshError {
  if (outcome.kind === 'greeting') return refusedGreeting(outcome.greeting, facts);
  if (outcome.seen.length > 0 && !couldBeGreeting(outcome.seen, facts.server.protocol))
    return noise(outcome.seen, facts);
  return outcome.kind === 'timeout' ? silence(facts) : noGreeting(facts);
}

function refusedGreeting(greeting: Greeting, facts: RefusalFacts): ViasshError {
  const cause = greeting.line.toString('utf8');
  const { server } = facts;
  if (greeting.kind === 'not-preauth') {
    return new ViasshError(
      'IMAP_NOT_PREAUTH',
      `${describeMailServer(server)} asks for a login: ${shown(greeting.line)}`,
      {
        hint:
          `start it already authenticated, as the user it is for, e.g. --command '${example(server)}'; ` +
          `where the mail program logs in by itself, --to ${server.protocol.port} reaches the server's port`,
        cause,
      },
    );
  }
  if (greeting.kind === 'bye') {
    const text = greetingText(greeting);
    return new ViasshError(
      'IMAP_BYE',
      `${describeMailServer(server)} refused to serve: ${text || 'it gave no reason'}${aside(facts)}`,
      {
        hint: 'the reason is on the far end: look into the log of the mail server there',
        cause,
      },
    );
  }
  return noise(greeting.line, facts);
}

const notSilent =
  'when a start-up file of the shell there (.bashrc, .profile, .cshrc) prints this, make it silent for non-interactive shells';
const refusedToRun = 'the server will not run like this; Dovecot wants another user than root';

function noise(line: Buffer, { server }: RefusalFacts): ViasshError {
  const text = line.toString('utf8');
  const { title } = server.protocol;
  const otherwise = `the ${server.farEnd.kind === 'exec' ? 'command' : 'port'} is not that of a server of ${title}`;
  return new ViasshError(
    'IMAP_NOISE',
    `${describeMailServer(server)} began with something that is no ${title} greeting: ${shown(line)}`,
    {
      hint: /^\* (?:BAD|NO)\b/i.test(text)
        ? refusedToRun
        : server.farEnd.kind === 'exec'
          ? `${notSilent}; else ${otherwise}`
          : otherwise,
      cause: text,
    },
  );
}

function silence(facts: RefusalFacts): ViasshError {
  const { server, stderr, timeoutMs } = facts;
  return new ViasshError(
    'IMAP_GREETING_TIMEOUT',
    `${describeMailServer(server)} sent no ${server.protocol.title} greeting within ${timeoutMs / 1000} s${aside(facts)}`,
    {
      hint: `${whySilent(server)}; when it is only slow, allow more with --greeting-timeout`,
      cause: stderr.text,
    },
  );
}

function whySilent(server: MailServer): string {
  if (server.farEnd.kind !== 'exec') return 'the port may be one for TLS, which waits for its client';
  if (server.protocol.opening === '' || openingOf(server) !== '') return 'try the command by hand with ssh';
  return `Dovecot's server greets only when it is asked, which is done where the command names it, e.g. --command '${example(server)}'`;
}

function noGreeting(facts: RefusalFacts): ViasshError {
  const { exit, stderr } = facts;
  const cause: NoGreetingCause = { exit, stderr: stderr.text };
  const [ending, hint] = endingOf(facts);
  return new ViasshError('IMAP_NO_GREETING', `${ending}${aside(facts)}`, { hint, cause });
}

function endingOf({ exit, server }: RefusalFacts): readonly [ending: string, hint: string] {
  const { title, port } = server.protocol;
  const who = describeMailServer(server);
  // POSIX.1-2024, Shell Command Language §2.8.2: 127 not found, 126 found and not executable
  if (exit?.kind === 'status' && exit.code === 127) {
    if (server.lookedFor) {
      return [
        `no ${title} server was found there (status 127)`,
        `name one with --command, e.g. --command '${example(server)}', or reach one ` +
          `that listens with --to ${port}`,
      ];
    }
    return [
      `${who} was not found (status 127)`,
      `name it in full, e.g. --command '${example(server)}': the PATH of a remote command is a short one; ` +
        'without --command the usual servers are looked for',
    ];
  }
  if (exit?.kind === 'status' && exit.code === 126)
    return [`${who} cannot be executed (status 126)`, 'it must be a program that this user may execute there'];
  if (server.farEnd.kind !== 'exec') {
    return [
      `${who} closed the connection without a ${title} greeting`,
      'look into the log of the mail server there: it may not serve clients of its own machine',
    ];
  }
  const hint =
    `the command must be a server of ${title} on stdin and stdout that is already authenticated; ` +
    '-v shows all it says on stderr';
  if (exit === undefined) return [`${who} closed its output without a greeting`, hint];
  return [`${who} ended with ${describeExit(exit)} before a greeting`, hint];
}

/** A server in full. */
function example({ protocol }: MailServer): string {
  return protocol.commands.find((command) => command.startsWith('/')) ?? '';
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
