import t from 'tap';
import { couldBeGreeting, type Greeting, greetingText, LONGEST_GREETING, readGreeting } from '../src/greeting.ts';

const corpus: readonly (readonly [name: string, bytes: string, kind: Greeting['kind'], line: string])[] = [
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

for (const [name, text, kind, line] of corpus) {
  t.test(`the greeting is read the same however it was cut: ${name}`, async (t) => {
    const bytes = Buffer.from(text);
    const whole = readGreeting(bytes);
    t.equal(whole?.kind, kind);
    t.equal(whole?.line.toString(), line);
    const answers = Array.from(bytes, (_, at) => readGreeting(bytes.subarray(0, at))).filter(
      (answer) => answer !== undefined,
    );
    t.ok(
      answers.every((answer) => answer.kind === kind && answer.line.equals(Buffer.from(line))),
      'no shorter piece says another thing',
    );
  });
}

t.test('an endless line is noise once the bound is reached, and not before', async (t) => {
  t.equal(readGreeting(Buffer.alloc(LONGEST_GREETING - 1, 'x')), undefined);
  t.equal(readGreeting(Buffer.alloc(LONGEST_GREETING, 'x'))?.kind, 'noise');
  t.equal(
    readGreeting(Buffer.alloc(LONGEST_GREETING * 4, 'x'))?.line.length,
    LONGEST_GREETING,
    'cut, whatever the chunk',
  );
  t.equal(
    readGreeting(Buffer.from(`* PREAUTH ${'x'.repeat(LONGEST_GREETING)}\r\n`))?.kind,
    'noise',
    'also one that begins well',
  );
  t.equal(
    readGreeting(Buffer.from(`* PREAUTH ${'x'.repeat(8000)}\r\n`))?.kind,
    'preauth',
    'a long one within the bound is fine',
  );
});

t.test('random bytes never throw and never become PREAUTH', async (t) => {
  let state = 1;
  const next = (): number => (state = (state * 48_271) % 2_147_483_647) & 0xff;
  const kinds = Array.from(
    { length: 2000 },
    (_, round) => readGreeting(Buffer.from(Array.from({ length: round % 97 }, next)))?.kind,
  );
  t.strictSame(new Set(kinds), new Set([undefined, 'noise']));
});

t.test('an unfinished greeting is told from a prompt', async (t) => {
  for (const start of ['', '*', '* ', '* pre', '* PREAUTH', '* PREAUTH hel', '* O', '* OK rea', '* BYE'])
    t.ok(couldBeGreeting(Buffer.from(start)), start);
  for (const other of ['P', 'Password: ', '**', '* X', '* PREAUTHX', '\r'])
    t.notOk(couldBeGreeting(Buffer.from(other)), other);
});

t.test('the text of a greeting is what follows the status and the response code', async (t) => {
  t.equal(text('* BYE disk full'), 'disk full');
  t.equal(text('* BYE [UNAVAILABLE] come back'), 'come back');
  t.equal(text('* BYE'), '');
});

function text(line: string): string {
  return greetingText({ kind: 'bye', line: Buffer.from(line) });
}
