import t from 'tap';
import {
  couldBeGreeting,
  type Greeting,
  greetingCapabilities,
  greetingText,
  LONGEST_GREETING,
  readGreeting,
} from '../src/greeting.ts';
import { mailProtocols } from '../src/mail-protocol.ts';

const { imap, pop3, sieve } = mailProtocols;

type Case = readonly [name: string, bytes: string, kind: Greeting['kind'], line: string];

const imapCorpus: readonly Case[] = [
  [
    'PREAUTH as Dovecot sends it',
    '* PREAUTH [CAPABILITY IMAP4rev1] Logged in as u\r\n',
    'preauth',
    '* PREAUTH [CAPABILITY IMAP4rev1] Logged in as u',
  ],
  ['a bare LF', '* PREAUTH hello\n', 'preauth', '* PREAUTH hello'],
  ['no text at all', '* PREAUTH\r\n', 'preauth', '* PREAUTH'],
  ['small letters', '* preauth hi\r\n', 'preauth', '* preauth hi'],
  ['mixed case', '* PreAuth hi\r\n', 'preauth', '* PreAuth hi'],
  ['UTF-8 in the text', '* PREAUTH grüß dich\r\n', 'preauth', '* PREAUTH grüß dich'],
  ['bytes after the greeting', '* PREAUTH hi\r\n* 3 EXISTS\r\n\0', 'preauth', '* PREAUTH hi'],
  [
    'OK: wants a login',
    '* OK [CAPABILITY IMAP4rev1 STARTTLS] ready\r\n',
    'not-preauth',
    '* OK [CAPABILITY IMAP4rev1 STARTTLS] ready',
  ],
  ['BYE', '* BYE disk full\r\n', 'bye', '* BYE disk full'],
  ['bye in small letters', '* bye\r\n', 'bye', '* bye'],
  ['a longer word', '* PREAUTHX hi\r\n', 'noise', '* PREAUTHX hi'],
  ['a shorter word', '* PREAUT hi\r\n', 'noise', '* PREAUT hi'],
  ['two blanks', '*  PREAUTH hi\r\n', 'noise', '*  PREAUTH hi'],
  ['a blank in front', ' * PREAUTH hi\r\n', 'noise', ' * PREAUTH hi'],
  ['a tab instead of a blank', '*\tPREAUTH hi\r\n', 'noise', '*\tPREAUTH hi'],
  ['a tag', 'a1 OK done\r\n', 'noise', 'a1 OK done'],
  ['a line of a start-up file, then PREAUTH', 'Welcome!\n* PREAUTH hi\r\n', 'noise', 'Welcome!'],
  ['an empty line, then PREAUTH', '\r\n* PREAUTH hi\r\n', 'noise', ''],
  ['a lone LF, then PREAUTH', '\n* PREAUTH hi\r\n', 'noise', ''],
  ['a NUL', '\0\0\0', 'noise', '\0'],
  ['a NUL within PREAUTH', '* PREAUTH h\0i\r\n', 'noise', '* PREAUTH h\0'],
  ['another protocol', 'SSH-2.0-OpenSSH_9.2\r\n', 'noise', 'SSH-2.0-OpenSSH_9.2'],
];

const pop3Corpus: readonly Case[] = [
  ['Dovecot on stdio', '+OK\r\n', 'ready', '+OK'],
  ['with a text', '+OK Dovecot ready. <1.2@x>\r\n', 'ready', '+OK Dovecot ready. <1.2@x>'],
  ['small letters', '+ok hi\n', 'ready', '+ok hi'],
  ['a refusal', '-ERR [IN-USE] locked\r\n', 'bye', '-ERR [IN-USE] locked'],
  ['a longer word', '+OKAY\r\n', 'noise', '+OKAY'],
  ['IMAP', '* PREAUTH hi\r\n', 'noise', '* PREAUTH hi'],
];

const sieveCorpus: readonly Case[] = [
  ['capabilities', '"IMPLEMENTATION" "x"\r\n"SIEVE" "y"\r\nOK\r\n', 'ready', '"IMPLEMENTATION" "x"'],
  ['OK alone', 'OK "ready"\r\n', 'ready', 'OK "ready"'],
  ['NO', 'NO "unknown command"\r\n', 'bye', 'NO "unknown command"'],
  ['BYE', 'bye (TRYLATER) "busy"\r\n', 'bye', 'bye (TRYLATER) "busy"'],
  ['a word that begins with NO', 'NOTICE: hi\r\n', 'noise', 'NOTICE: hi'],
];

for (const [words, corpus] of [
  [imap, imapCorpus],
  [pop3, pop3Corpus],
  [sieve, sieveCorpus],
] as const) {
  for (const [name, text, kind, line] of corpus) {
    t.test(`the greeting of ${words.title} is read the same however it was cut: ${name}`, async (t) => {
      const bytes = Buffer.from(text);
      const whole = readGreeting(bytes, words);
      t.equal(whole?.kind, kind);
      t.equal(whole?.line.toString(), line);
      const answers = Array.from(bytes, (_, at) => readGreeting(bytes.subarray(0, at), words)).filter(
        (answer) => answer !== undefined,
      );
      t.ok(
        answers.every((answer) => answer.kind === kind && answer.line.equals(Buffer.from(line))),
        'no shorter piece says another thing',
      );
    });
  }
}

t.test('an endless line is noise once the bound is reached, and not before', async (t) => {
  t.equal(readGreeting(Buffer.alloc(LONGEST_GREETING - 1, 'x'), imap), undefined);
  t.equal(readGreeting(Buffer.alloc(LONGEST_GREETING, 'x'), imap)?.kind, 'noise');
  t.equal(
    readGreeting(Buffer.alloc(LONGEST_GREETING * 4, 'x'), imap)?.line.length,
    LONGEST_GREETING,
    'cut, whatever the chunk',
  );
  t.equal(
    readGreeting(Buffer.from(`* PREAUTH ${'x'.repeat(LONGEST_GREETING)}\r\n`), imap)?.kind,
    'noise',
    'also one that begins well',
  );
  t.equal(
    readGreeting(Buffer.from(`* PREAUTH ${'x'.repeat(8000)}\r\n`), imap)?.kind,
    'preauth',
    'a long one within the bound is fine',
  );
});

t.test('random bytes never throw and never become PREAUTH', async (t) => {
  let state = 1;
  const next = (): number => (state = (state * 48_271) % 2_147_483_647) & 0xff;
  const kinds = Array.from(
    { length: 2000 },
    (_, round) => readGreeting(Buffer.from(Array.from({ length: round % 97 }, next)), imap)?.kind,
  );
  t.strictSame(new Set(kinds), new Set([undefined, 'noise']));
});

t.test('an unfinished greeting is told from a prompt', async (t) => {
  for (const start of ['', '*', '* ', '* pre', '* PREAUTH', '* PREAUTH hel', '* O', '* OK rea', '* BYE'])
    t.ok(couldBeGreeting(Buffer.from(start), imap), start);
  for (const other of ['P', 'Password: ', '**', '* X', '* PREAUTHX', '\r'])
    t.notOk(couldBeGreeting(Buffer.from(other), imap), other);
});

t.test('the text of a greeting is what follows the status and the response code', async (t) => {
  t.equal(text('* BYE disk full'), 'disk full');
  t.equal(text('* BYE [UNAVAILABLE] come back'), 'come back');
  t.equal(text('* BYE'), '');
  t.equal(text('-ERR [IN-USE] locked'), 'locked');
  t.equal(text('-ERR'), '');
  t.equal(text('NO (QUOTA) "no room"'), 'no room');
});

t.test('capabilities are those of the response code, and none are made up', async (t) => {
  t.equal(named('* PREAUTH [CAPABILITY IMAP4rev1 IDLE] Logged in'), 'IMAP4rev1 IDLE');
  t.equal(named('* PREAUTH Logged in'), '');
  t.equal(named('* PREAUTH [ALERT] CAPABILITY x'), '');
});

function text(line: string): string {
  return greetingText({ kind: 'bye', line: Buffer.from(line) });
}

function named(line: string): string {
  return greetingCapabilities({ kind: 'preauth', line: Buffer.from(line) });
}
