import { type Account, type AccountLines, defineAccount, ViasshError } from '@viassh/core';

const gitShell = 'git-shell -c "$SSH_ORIGINAL_COMMAND"';
/** git-shell itself takes the path apart: what follows a path makes it refuse. */
const readingOnly =
  `case "$SSH_ORIGINAL_COMMAND" in 'git-upload-'*|'git upload-'*) exec ${gitShell};; esac; ` +
  `echo 'fatal: this key may read, and nothing else' >&2; exit 128`;

/** A key that may do git, through git-shell, and nothing else. */
export const gitAccount: Account = defineAccount({
  program: 'git',
  summary: 'clone, fetch and push in the repositories of the account, by git-shell',
  options: {
    readOnly: { type: 'boolean', summary: 'clone, fetch and git archive --remote; no push' },
    loginShell: { type: 'boolean', summary: 'git-shell is the login shell of the account already' },
  },
  lines: ({ readOnly, loginShell }) => ({
    ...commandOf(readOnly, loginShell),
    sshdConfig: ['AcceptEnv GIT_PROTOCOL'],
    notes: [
      'The key reaches every repository that the account can reach: one account for each circle of people.',
      'Without AcceptEnv GIT_PROTOCOL, git speaks its protocol version 0 here: slower where there are many branches.',
      loginShell
        ? 'git-shell as login shell (usermod --shell "$(command -v git-shell)" NAME) keeps every key of the account to git.'
        : 'The login shell of the account must be one like sh; where it is git-shell itself, take the line of --login-shell.',
    ],
  }),
});

function commandOf(readOnly: boolean, loginShell: boolean): Pick<AccountLines, 'command'> {
  if (!loginShell) return { command: readOnly ? readingOnly : gitShell };
  if (!readOnly) return {};
  throw new ViasshError('OPTION_INVALID', '--read-only and --login-shell do not go together', {
    hint: 'git-shell knows no key that may only read: give the account a login shell like sh',
  });
}
