/**
 * Sends a mail with nodemailer, through the SMTP server of the far end: its own, or one that it can reach.
 *
 *     node send-mail.ts [-F SSH_CONFIG] [--transport openssh|ssh2] [--server HOST:PORT] DEST FROM TO… <TEXT
 */
import { text } from 'node:stream/consumers';
import { parseArgs } from 'node:util';
import { createTransport } from 'nodemailer';
import { connect, isViasshError, type LibraryOptions, sendmailOver } from 'viassh';

const { values, positionals } = parseArgs({
  allowPositionals: true,
  options: {
    config: { type: 'string', short: 'F' },
    transport: { type: 'string' },
    server: { type: 'string' },
  },
});
const [destination, from, ...to] = positionals;

try {
  if (destination === undefined || from === undefined || to.length === 0)
    throw new Error('usage: send-mail.ts [-F SSH_CONFIG] [--server HOST:PORT] DEST FROM TO… <TEXT');
  await using connection = await connect(destination, {
    configFile: values.config,
    transport: values.transport as LibraryOptions['transport'],
  });
  const mailer = createTransport(sendmailOver(connection, { to: values.server }));
  const { accepted, rejected, response } = await mailer.sendMail({
    from,
    to,
    subject: 'Sent through viassh',
    text: await text(process.stdin),
  });
  console.log(`${accepted.map(String).join(', ')}: ${response}`);
  if (rejected.length > 0) {
    console.error(`not accepted: ${rejected.map(String).join(', ')}`);
    process.exitCode = 1;
  }
} catch (error) {
  if (!isViasshError(error)) throw error;
  console.error(`${error.code}: ${error.message}${error.hint === undefined ? '' : ` (${error.hint})`}`);
  process.exitCode = 255;
}
