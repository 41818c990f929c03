import { createInterface } from 'node:readline';
import { exitCodeOf, describeExit, type SessionChannel, sanitize, ViasshError } from '@viassh/core';
import { loadDemo } from '../builtin.ts';
import { openConnection } from '../library/open-connection.ts';
import { paint } from '../terminal/report.ts';
import type { CommandContext } from './command-context.ts';

/** One thing the demo did; times in milliseconds. */
interface Step {
  readonly step: string;
  readonly ms: number;
  readonly lines: readonly string[];
}

/**
 * `viassh demo`: the main job against an embedded server: connect, PREAUTH greeting, list and read mails through the
 * pipe, exit status. Needs nothing installed, touches nothing outside a scratch folder.
 */
export async function runDemo(context: CommandContext): Promise<number> {
  const { environment, globals, log, signal, stdout } = context;
  if (globals.control !== undefined) {
    throw new ViasshError('USAGE', 'the demo brings its own server: --control has no part in it', {
      hint: 'leave --control away',
    });
  }
  const steps: Step[] = [];
  let last = performance.now();
  const done = (step: string, lines: readonly string[] = []): void => {
    const now = performance.now();
    steps.push({ step, ms: Math.round(now - last), lines });
    if (!globals.json) {
      stdout.write(
        `${paint('green', '✓', stdout)} ${step} ${paint('dim', `(${Math.round(now - last)} ms)`, stdout)}\n`,
      );
      for (const line of lines) stdout.write(`    ${line}\n`);
    }
    last = performance.now();
  };

  const { startDemoServer } = await loadDemo();
  await using server = await startDemoServer();
  done(`an SSH server with a mailbox runs at ${server.host}:${server.port}`);
  await using connection = await openConnection(environment, {
    destination: { user: server.user, host: server.host, port: server.port },
    typed: {
      configFile: 'none',
      identityFiles: [server.identityFile],
      options: [
        'IdentitiesOnly=yes',
        `UserKnownHostsFile=${server.knownHostsFile}`,
        'GlobalKnownHostsFile=/dev/null',
        'StrictHostKeyChecking=yes',
        'BatchMode=yes',
      ],
    },
    transport: globals.transport,
    needs: ['exec'],
    log,
    signal,
  });
  const { info, transport } = connection;
  done(`connected by the ${transport} transport`, [
    `host key ${info.hostKey ?? '?'} is the known one`,
    `logged in by ${info.authenticatedBy ?? '?'}, cipher ${info.cipher ?? '?'}`,
  ]);

  const channel = await connection.openSession({ kind: 'exec', command: 'imapd', signal });
  channel.stderr.resume();
  const imap = imapDialogue(channel);
  const greeting = await imap.line();
  if (!greeting.startsWith('* PREAUTH')) throw new Error(`no PREAUTH greeting: ${greeting}`);
  done('the mail server greets us as already logged in', [sanitize(greeting)]);
  const selected = await imap.command('EXAMINE INBOX');
  const count = Number(/^\* (\d+) EXISTS/m.exec(selected.join('\n'))?.[1] ?? 0);
  const listed = await imap.command('FETCH 1:* BODY.PEEK[HEADER.FIELDS (SUBJECT)]');
  const subjects = listed.filter((line) => /^subject:/i.test(line)).map((line) => sanitize(line));
  if (count === 0 || subjects.length !== count) throw new Error(`${count} mails, ${subjects.length} subjects`);
  done(`${count} mails are in the mailbox`, subjects);
  const mail = await imap.command('FETCH 1 BODY.PEEK[TEXT]');
  done(
    'the first one reads',
    mail
      .slice(1, -2)
      .filter((line) => line !== ')')
      .map((line) => sanitize(line)),
  );
  await imap.command('LOGOUT');
  channel.end();
  const exit = await channel.exit;
  done(`logged out; the remote command ended with ${describeExit(exit)}`);
  if (globals.json) stdout.write(`${JSON.stringify({ transport, steps }, null, 2)}\n`);
  else stdout.write(`\nThe same with a mailbox of yours: viassh imap you@host --command /usr/lib/dovecot/imap\n`);
  return exitCodeOf(exit);
}

/** Just enough IMAP to ask and to read the answers line by line. */
function imapDialogue(channel: SessionChannel): { line(): Promise<string>; command(text: string): Promise<string[]> } {
  const lines = createInterface({ input: channel, crlfDelay: Number.POSITIVE_INFINITY })[Symbol.asyncIterator]();
  let tag = 0;
  const line = async (): Promise<string> => {
    const { done, value } = await lines.next();
    if (done === true) throw new Error('the mail server ended the dialogue');
    return value;
  };
  return {
    line,
    async command(text) {
      tag += 1;
      channel.write(`a${tag} ${text}\r\n`);
      const answer: string[] = [];
      for (;;) {
        const next = await line();
        answer.push(next);
        if (!next.startsWith(`a${tag} `)) continue;
        if (next.startsWith(`a${tag} OK`)) return answer;
        throw new Error(`the mail server refused: ${next}`);
      }
    },
  };
}
