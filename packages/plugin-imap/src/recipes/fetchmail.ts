import { defineRecipe, type Recipe, ViasshError } from '@viassh/core';
import { appendOnce } from './append-once.ts';
import { mailHost, mailOptions, plainName, splitCommand } from './mail-command.ts';

/**
 * Without `no dns` the name has to be one of the DNS. fetchmail splits `plugin` at blanks and knows no quotes there,
 * puts host and port in for %h and %p, and takes PREAUTH with `sslproto ''` alone.
 */
export const fetchmailRecipe: Recipe = defineRecipe({
  program: 'fetchmail',
  summary: 'fetchmail: a server in ~/.fetchmailrc',
  options: {
    ...mailOptions,
    mda: {
      type: 'string',
      valueName: 'COMMAND',
      summary: 'what gets each mail on its stdin (default: the mail server of this machine, by SMTP)',
    },
  },
  script(situation, options) {
    const { host, user } = mailHost(situation);
    const name = plainName(host);
    const plugin = splitCommand(situation, options, 'fetchmail');
    if (/%[hp]/.test(plugin) || /[\p{Cc}]/u.test(options.mda ?? '')) {
      throw new ViasshError('OPTION_INVALID', 'fetchmail has no way to write %h, %p or a control character', {
        hint: 'put the command into a script',
      });
    }
    const far = user === undefined ? '"$(id -un)"' : user;
    return `# fetchmail brings the mail of ${name} through viassh.
file=$HOME/.fetchmailrc
${appendOnce(
  `poll ${name} with protocol imap no dns`,
  `  plugin ${quoted(plugin)}
  preauth ssh`,
  [
    `printf '  user "%s" is "%s" here\\n' ${far} "$(id -un)"`,
    `cat <<'END'
  sslproto ''
${options.mda === undefined ? '' : `  mda ${quoted(options.mda)}\n`}\
  # Mail stays on the server. Take keep away once all works: fetchmail then removes there what it delivered here.
  fetchall keep
END`,
  ],
)}# fetchmail refuses a file that others may read.
chmod go-rwx "$file"
# Then: fetchmail --check -v ${name} says what is there and fetches nothing; fetchmail ${name} fetches.
`;
  },
});

/** In double quotes fetchmail reads backslashes as C does. */
function quoted(text: string): string {
  return `"${text.replaceAll('\\', String.raw`\x5c`).replaceAll(String.raw`"`, String.raw`\x22`)}"`;
}
