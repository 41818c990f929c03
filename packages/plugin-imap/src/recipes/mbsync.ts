import { defineRecipe, type Recipe } from '@viassh/core';
import { appendOnce } from './append-once.ts';
import { mailHost, mailOptions, plainName, shellCommand } from './mail-command.ts';
import { checkFolder, inShell } from './mail-folder.ts';

/** Tunnel alone: with Host beside it, mbsync wants TLS and a login of that host. */
export const mbsyncRecipe: Recipe = defineRecipe({
  program: 'mbsync',
  summary: 'mbsync (isync): a channel in ~/.mbsyncrc, into a Maildir',
  options: {
    ...mailOptions,
    folder: {
      type: 'string',
      valueName: 'DIR',
      summary: 'where the mail goes, from the root or ~ (default: ~/Mail/HOST)',
    },
  },
  script(situation, options) {
    const name = plainName(mailHost(situation).host);
    const folder = checkFolder(options.folder ?? `~/Mail/${name}`);
    return `# mbsync copies the mail of ${name} through viassh into ${folder}. Nothing changes over there
# (Sync Pull), and nothing is removed here (no Expunge).
mkdir -p ${inShell(folder)}
file=$HOME/.mbsyncrc
${appendOnce(
  `IMAPStore ${name}-far`,
  `Tunnel ${quoted(shellCommand(situation, options))}

MaildirStore ${name}-near
Path ${quoted(`${folder}/`)}
Inbox ${quoted(`${folder}/INBOX`)}
SubFolders Verbatim

Channel ${name}
Far :${name}-far:
Near :${name}-near:
Patterns *
Create Near
Sync Pull
SyncState *`,
)}# Then: mbsync ${name}
`;
  },
});

/** In double quotes; a backslash takes the next character as it is. */
function quoted(text: string): string {
  return `"${text.replace(/["\\]/g, '\\$&')}"`;
}
