import { imapPlugin } from '@viassh/plugin-imap';
import t from 'tap';
import { makePuppet, runImap } from './run-imap.ts';

interface Refused {
  readonly name: string;
  readonly command: string;
  readonly code: string;
  readonly message: RegExp;
  readonly hint: RegExp;
}

const cases: readonly Refused[] = [
  {
    name: 'a server that wants a login',
    command: `printf '* OK Dovecot ready.\\r\\n'; exec sleep 600`,
    code: 'IMAP_NOT_PREAUTH',
    message: /login.*Dovecot ready/,
    hint: /--command/,
  },
  {
    name: 'a server that says goodbye',
    command: `printf '* BYE [UNAVAILABLE] no \\033[1mroom\\r\\n'; exit 1`,
    code: 'IMAP_BYE',
    message: /no \\u001b\[1mroom/,
    hint: /log/,
  },
  {
    name: 'a start-up file that prints, then PREAUTH',
    command: `echo 'Welcome to gate!'; printf '* PREAUTH hi\\r\\n'; cat`,
    code: 'IMAP_NOISE',
    message: /"Welcome to gate!"/,
    hint: /start-up file.*non-interactive/,
  },
  {
    name: 'an empty line first',
    command: `echo; printf '* PREAUTH hi\\r\\n'; cat`,
    code: 'IMAP_NOISE',
    message: /an empty line/,
    hint: /start-up file/,
  },
  {
    name: 'a line that only looks like PREAUTH',
    command: `printf '* PREAUTHX hi\\r\\n'; cat`,
    code: 'IMAP_NOISE',
    message: /PREAUTHX/,
    hint: /server of IMAP/,
  },
  {
    name: 'binary data',
    command: `printf '\\177ELF\\000\\000'; exec sleep 600`,
    code: 'IMAP_NOISE',
    message: /ELF\\u0000/,
    hint: /server of IMAP/,
  },
  {
    name: 'an endless line',
    command: `exec tr '\\0' x </dev/zero`,
    code: 'IMAP_NOISE',
    message: /"x{200}…"/,
    hint: /server of IMAP/,
  },
  {
    name: 'a prompt without a line end, and the end',
    command: `printf 'This account is not available.'; exit 1`,
    code: 'IMAP_NOISE',
    message: /account is not available/,
    hint: /start-up file/,
  },
  {
    name: 'the end at once',
    command: 'exit 0',
    code: 'IMAP_NO_GREETING',
    message: /ended with status 0 before/,
    hint: /server of IMAP/,
  },
  {
    name: 'a failure that says why',
    command: `echo first >&2; echo 'mail_location: not found' >&2; exit 75`,
    code: 'IMAP_NO_GREETING',
    message: /status 75 .*: mail_location: not found$/,
    hint: /-v/,
  },
  {
    name: 'half a greeting',
    command: `printf '* PREAUTH hal'`,
    code: 'IMAP_NO_GREETING',
    message: /ended with status 0/,
    hint: /server of IMAP/,
  },
  {
    name: 'a crash',
    command: 'kill -SEGV $$',
    code: 'IMAP_NO_GREETING',
    message: /signal SEGV/,
    hint: /server of IMAP/,
  },
];

for (const { name, command, code, message, hint } of cases) {
  t.test(`refused before a byte of it reaches the mail program: ${name}`, async (t) => {
    const { error, stdout } = await runImap({ command });
    t.match(error, { code, message, hint });
    t.equal(stdout, '');
  });
}

t.test('a command that is not there is the exit code 127 or 126, with a word on it', async (t) => {
  for (const [command, code, message, hint] of [
    [
      'viassh-no-such-imapd',
      127,
      /^the IMAP server 'viassh-no-such-imapd' was not found \(status 127\): .*viassh-no-such-imapd/,
      /--command/,
    ],
    ['/etc/passwd', 126, /cannot be executed \(status 126\)/, /may execute/],
  ] as const) {
    const { error, stdout } = await runImap({ command });
    t.match(error, { code: 'IMAP_NO_GREETING', message, hint });
    t.equal(error && imapPlugin.prepare({ command }, []).exitCodeOf(error), code);
    t.equal(stdout, '');
  }
  const { error } = await runImap({ command: 'exit 3' });
  t.equal(error && imapPlugin.prepare({}, []).exitCodeOf(error), undefined, 'another status is a failure of ours');
});

t.test('silence ends at the deadline, and the far end is let go', async (t) => {
  const puppet = makePuppet();
  t.match(await runImap({ greetingTimeout: 0.05 }, { transport: puppet.transport }), {
    error: { code: 'IMAP_GREETING_TIMEOUT', message: /0\.05 s/ },
    stdout: '',
  });
  await puppet.closed;
});

t.test('half a greeting and then silence is a late greeting, a prompt and then silence is noise', async (t) => {
  for (const [bytes, code] of [
    ['* PREAU', 'IMAP_GREETING_TIMEOUT'],
    ['Password: ', 'IMAP_NOISE'],
  ] as const) {
    const puppet = makePuppet();
    const run = runImap({ greetingTimeout: 0.05 }, { transport: puppet.transport });
    await puppet.started;
    puppet.output.write(bytes);
    t.match(await run, { error: { code } });
  }
});

t.test('a far end that closes its output and stays is not waited for beyond the deadline', async (t) => {
  const puppet = makePuppet();
  const run = runImap({ greetingTimeout: 0.05 }, { transport: puppet.transport });
  await puppet.started;
  puppet.output.end();
  puppet.error.end(); // a server sends EOF once both are closed
  t.match(await run, { error: { code: 'IMAP_NO_GREETING', message: /closed its output/ } });
  await puppet.closed;
});
