import { type Account, defineAccount, quoteWord, ViasshError } from '@viassh/core';

/** uucico as the answering side, and nothing else. */
export const uucpAccount: Account = defineAccount({
  program: 'uucp',
  summary: 'a key that may call this UUCP system, and nothing else',
  options: {
    login: { type: 'string', valueName: 'NAME', summary: 'the UUCP login that the key stands for: nobody is asked' },
    config: { type: 'string', valueName: 'FILE', summary: 'another configuration than /etc/uucp/config' },
  },
  lines({ login, config }) {
    if (login !== undefined && !/^[\w.][\w.+-]*$/.test(login)) {
      throw new ViasshError('OPTION_INVALID', `not a UUCP login: '${login}'`, {
        hint: '--login wants letters, digits, and . _ + -',
      });
    }
    if (config !== undefined && !/^\/[^\p{Cc}]*[^\p{Cc}\\]$/u.test(config)) {
      throw new ViasshError('OPTION_INVALID', `not the path of a file: '${config}'`, {
        hint: '--config wants an absolute path: uucico works in its spool folder',
      });
    }
    // -I comes first: it gives up the setuid bit, and -u looks at that.
    const own = config === undefined ? '' : ` -I ${quoteWord(config)}`;
    return {
      command: `/usr/sbin/uucico${own} ${login === undefined ? '-l' : `-u ${quoteWord(login)}`}`,
      notes: [
        "the account's login shell has to run commands; that of Debian's uucp does not: usermod --shell /bin/sh uucp",
        `sys wants an entry for the caller: system ITS-NAME, called-login ${login ?? 'LOGIN'}, commands for what its uux may run`,
        login === undefined
          ? 'passwd wants a line LOGIN PASSWORD for each caller; with --login NAME the key is enough'
          : config === undefined
            ? 'only the account uucp may set the login so: another one is called by its own name'
            : `the account owns the spool folder that ${config} names`,
      ],
    };
  },
});
