import { sanitize } from '@viassh/core';
import type { ServerChannel, Session } from 'ssh2';
import type { Mailbox } from './imap/mailbox.ts';
import { serveImap } from './imap/serve-imap.ts';

/** What the server runs: all that it has to offer. */
export const DEMO_COMMAND = 'imapd';

/** Answers the requests of one session channel. What has no listener here, pty and subsystem, ssh2 refuses. */
export function serveSession(session: Session, mailboxes: readonly Mailbox[]): void {
  session.once('exec', (accept, _reject, { command }) => {
    const channel = accept();
    channel.on('error', () => undefined);
    if (command.trim() === DEMO_COMMAND) void serveImap(channel, mailboxes).then(() => finish(channel, 0));
    else
      refuse(
        channel,
        `sh: ${sanitize(command).slice(0, 200)}: command not found (the demo has only ${DEMO_COMMAND})`,
        127,
      );
  });
  session.once('shell', (accept) => {
    const channel = accept();
    channel.on('error', () => undefined);
    refuse(channel, `The demo has no shell. Try the command ${DEMO_COMMAND}.`, 1);
  });
}

function refuse(channel: ServerChannel, message: string, code: number): void {
  channel.stderr.write(`${message}\r\n`);
  finish(channel, code);
}

function finish(channel: ServerChannel, code: number): void {
  channel.resume();
  channel.exit(code);
  channel.end();
}
