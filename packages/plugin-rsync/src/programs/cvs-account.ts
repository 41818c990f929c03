import { type Account, defineAccount, quoteWord, ViasshError } from '@viassh/core';

/** `cvs server` and nothing else; with a directory, that repository and no other. */
export const cvsAccount: Account = defineAccount({
  program: 'cvs',
  summary: 'a key that may use cvs repositories, and nothing else',
  options: {
    directory: { type: 'string', valueName: 'DIR', summary: 'the only repository that the key may use' },
  },
  lines({ directory }) {
    if (directory === undefined) return { command: '/usr/bin/cvs server', notes: [...common, anyRepository] };
    if (!/^\/[^\p{Cc}]*[^\p{Cc}\\/]$/u.test(directory)) {
      throw new ViasshError('OPTION_INVALID', `not the folder of a repository: '${directory}'`, {
        hint: '--directory wants an absolute path without a slash at its end',
      });
    }
    const command = `/usr/bin/cvs ${quoteWord(`--allow-root=${directory}`)} server`;
    return { command, notes: [...common, `the account may write ${directory}`, closeRoot(directory)] };
  },
});

const common = [
  'the account needs a login shell that runs commands, and cvs; commits bear its name, whoever holds the key',
];
const anyRepository =
  'without --directory the key may name any repository, one of its own making too, and cvs runs what a CVSROOT ' +
  'folder says: only for people who may have a shell there';
const closeRoot = (directory: string): string =>
  `cvs runs what the files of ${directory}/CVSROOT say: let root own them and the folder, and the account write its ` +
  'files history and val-tags only';
