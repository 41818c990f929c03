import { defineRecipe, type Recipe } from '@viassh/core';
import { smtpFarEnd } from '../smtp-far-end.ts';
import { relayOptions } from './relay-command.ts';

/** A module of its own: nodemailer has no configuration but code. */
export const nodemailerRecipe: Recipe = defineRecipe({
  program: 'nodemailer',
  summary: 'nodemailer: a module for Node, ./viassh-mailer.mjs',
  options: relayOptions,
  script({ destination }, options) {
    smtpFarEnd(options, options.words);
    const { to, unix, words } = options;
    const command = options.command ?? (words.length > 0 ? words.join(' ') : undefined);
    const place = JSON.stringify({ to, unix, command });
    return `# A module for the project in this folder: npm install viassh nodemailer
file=viassh-mailer.mjs
if [ -e "$file" ]; then
  echo "$file is there already; it was not changed" >&2
else
  cat >"$file" <<'END'
import { createTransport } from 'nodemailer';
import { connect, sendmailOver } from 'viassh';

/**
 * A transporter of nodemailer; its close() ends the connection as well. \`ssh\` is for connect() of viassh, \`mail\` for
 * sendmailOver(), \`defaults\` for nodemailer.
 */
export async function openMailer({ ssh = {}, mail = {}, defaults = {} } = {}) {
  const connection = await connect(${JSON.stringify(destination.replace(/^'(.*)'$/s, '$1'))}, ssh);
  try {
    const transport = sendmailOver(connection, { ...${place}, ...mail });
    return createTransport({ ...transport, close: () => connection.close() }, defaults);
  } catch (error) {
    await connection.close();
    throw error;
  }
}
END
fi
# Then: import { openMailer } from './viassh-mailer.mjs';
#       const mailer = await openMailer();
#       await mailer.verify(); // to check, and send nothing
#       await mailer.sendMail({ from: 'you@example.org', to: 'somebody@example.org', subject: 'hi', text: 'there' });
#       await mailer.close();
`;
  },
});
