import { type Account, type AccountLines, defineAccount, ViasshError } from '@viassh/core';

/** The account of `sftp` or of `scp`: both ask for the sftp subsystem. */
export function fileAccount(program: 'sftp' | 'scp', notes: readonly string[] = []): Account {
  return defineAccount({
    program,
    summary: `files by ${program}, through the sftp server inside sshd; no shell`,
    options: {
      directory: { type: 'string', valueName: 'DIR', summary: 'where the transfer starts; not a wall' },
      readOnly: { type: 'boolean', summary: 'nothing can be written, removed or renamed' },
      chroot: { type: 'string', valueName: 'DIR', summary: 'a wall: nothing outside of DIR is there; wants --user' },
      user: { type: 'string', valueName: 'NAME', summary: 'whose account it is, for --chroot' },
    },
    lines: ({ directory, readOnly, chroot, user }) => ({
      command: [
        'internal-sftp',
        ...(directory === undefined ? [] : ['-d', checkFolder('--directory', directory)]),
        ...(readOnly ? ['-R'] : []),
      ].join(' '),
      sshdConfig: chrootLines(chroot, user),
      notes: [
        'sshd_config wants its line `Subsystem sftp ...`, as it has nearly everywhere; what it names does not matter here.',
        ...(chroot === undefined
          ? []
          : [`${chroot} and every folder above it belong to root, and only root may write there.`]),
        ...(readOnly || chroot !== undefined ? [] : [writersNote]),
        ...notes,
      ],
    }),
  });
}

const writersNote =
  'Who may write in the home may write ~/.ssh/authorized_keys, and with it lift every restriction: take --read-only or ' +
  '--chroot, or keep the keys elsewhere (AuthorizedKeysFile /etc/ssh/authorized_keys/%u).';

function chrootLines(chroot: string | undefined, user: string | undefined): AccountLines['sshdConfig'] {
  if (chroot === undefined && user === undefined) return undefined;
  if (chroot === undefined || user === undefined)
    throw new ViasshError('OPTION_INVALID', '--chroot and --user belong together', {
      hint: 'sshd_config says whose wall it is: give both, or neither',
    });
  if (!/^[\w.][\w.@-]*\$?$/.test(user))
    throw new ViasshError('OPTION_INVALID', `--user: '${user}' is not the name of an account`, {
      hint: 'patterns would mean more accounts than one',
    });
  if (!chroot.startsWith('/'))
    throw new ViasshError('OPTION_INVALID', '--chroot wants a path from the root', { hint: 'begin it with a slash' });
  return [`Match User ${user}`, `ChrootDirectory ${checkFolder('--chroot', chroot)}`, 'Match all'];
}

/** sshd splits the forced command at blanks and knows no quotes; a line of its configuration ends at a line end. */
function checkFolder(option: string, folder: string): string {
  if (!/[\s"'\\\p{Cc}]/u.test(folder)) return folder;
  throw new ViasshError('OPTION_INVALID', `${option}: sshd takes no blank, quote or backslash in this path`, {
    hint: 'give the folder another name, or a symbolic link without them',
  });
}
