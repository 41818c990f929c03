import { defineRecipe, type Recipe } from '@viassh/core';
import { appendOnce } from './append-once.ts';
import { mailHost, mailOptions, shellCommand } from './mail-command.ts';
import { checkFolder, inShell } from './mail-folder.ts';

/** It demands a remotehost beside the tunnel, and never dials it. */
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
    const folder = checkFolder(options.folder ?? `~/Mail/${host}`);
    const percent = (text: string): string => text.replaceAll('%', '%%'); // its parser puts values in for %(name)s
    return `# OfflineIMAP keeps ${folder} and the mailbox of ${host} alike through viassh: both ways. To try it first without
# a change over there, put readonly = True below [Repository ${host}-far].
mkdir -p ${inShell(folder)}
file=$HOME/.offlineimaprc
[ -e "$file" ] || (umask 077 && printf '[general]\\naccounts = %s\\n' ${host} >"$file")
${appendOnce(
  `[Account ${host}]`,
  `localrepository = ${host}-near
remoterepository = ${host}-far

[Repository ${host}-near]
type = Maildir
localfolders = ${percent(folder)}

[Repository ${host}-far]
type = IMAP
preauthtunnel = ${percent(shellCommand(situation, options))}
# Has to be there, and is not dialled.
remotehost = ${percent(host)}
${user === undefined ? '' : `remoteuser = ${percent(user)}\n`}ssl = no
starttls = no`,
)}# Then: offlineimap -o -a ${host}
`;
  },
});
