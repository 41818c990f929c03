import { defineRecipe, type Recipe, ViasshError } from '@viassh/core';
import { appendOnce } from './append-once.ts';
import { mailHost, mailOptions, plainName, shellCommand } from './mail-command.ts';
import { checkFolder, inShell } from './mail-folder.ts';

/** It wants a remotehost beside the tunnel, some versions more than others, and does not dial it. */
export const offlineimapRecipe: Recipe = defineRecipe({
  program: 'offlineimap',
  summary: 'OfflineIMAP: an account in ~/.offlineimaprc, with a Maildir',
  options: {
    ...mailOptions,
    folder: {
      type: 'string',
      valueName: 'DIR',
      summary: 'where the mail goes, from the root or ~ (default: ~/Mail/HOST)',
    },
  },
  script(situation, options) {
    const { host, user } = mailHost(situation);
    const name = plainName(host);
    const folder = checkFolder(options.folder ?? `~/Mail/${name}`);
    if (folder.includes('$')) {
      throw new ViasshError('OPTION_INVALID', `OfflineIMAP puts variables into the name of a folder: '${folder}'`, {
        hint: 'take a name without $',
      });
    }
    return `# OfflineIMAP keeps ${folder} and the mailbox of ${name} alike through viassh: both ways. To try it first without
# a change over there, put readonly = True below [Repository ${name}-far].
mkdir -p ${inShell(folder)}
file=$HOME/.offlineimaprc
[ -e "$file" ] || (umask 077 && printf '[general]\\naccounts = %s\\n' ${name} >"$file")
${appendOnce(
  `[Account ${name}]`,
  `localrepository = ${name}-near
remoterepository = ${name}-far

[Repository ${name}-near]
type = Maildir
localfolders = ${percent(folder)}

[Repository ${name}-far]
type = IMAP
preauthtunnel = ${percent(shellCommand(situation, options))}
# Has to be there, and is not dialled.
remotehost = ${percent(name)}
${user === undefined ? '' : `remoteuser = ${percent(user)}\n`}ssl = no
starttls = no`,
)}# Then: offlineimap -o -a ${name}
`;
  },
});

/** Its parser puts values in for %(name)s. */
function percent(text: string): string {
  return text.replaceAll('%', '%%');
}
