import t from 'tap';
import { startTalk } from './talk.ts';

const lines: readonly string[] = [
  '',
  ' ',
  'a',
  'a ',
  ' NOOP',
  '* NOOP',
  '+ NOOP',
  '\0\0\0\0',
  'a \0',
  'a \xff\xfe',
  '\xff NOOP',
  'a FETCH',
  'a UID',
  'a UID UID',
  'a UID (FETCH) 1 UID',
  'a FETCH 1',
  'a FETCH 1 ()x',
  'a FETCH 0:0:0 FLAGS',
  'a FETCH 1 BODY[',
  'a FETCH 1 BODY[nonsense]',
  'a FETCH 1 BODY[1.1.1.HEADER.FIELDS ()]',
  'a FETCH 1 BODY[]<0>',
  'a FETCH 1 BODY[MIME]',
  'a FETCH 99999999999 FLAGS',
  'a FETCH 1 __proto__',
  'a constructor',
  'a toString x',
  'a SELECT __proto__',
  'a SELECT "unfinished',
  'a SELECT "x\\y"',
  'a SELECT (INBOX)',
  `a SELECT ${'('.repeat(5000)}`,
  `a SELECT ${')'.repeat(5000)}`,
  `a SEARCH ${'('.repeat(15)}ALL`,
  `a SEARCH ${'NOT '.repeat(4000)}ALL`,
  `a SEARCH ${'OR ALL '.repeat(2000)}ALL`,
  `a LIST "" ${'*%'.repeat(100)}x`,
  `a LIST "" ${'*a'.repeat(120)}`,
  `a LIST "" ${'*'.repeat(10_000)}`,
  `a FETCH 1:* (${'BODY[] '.repeat(2000)}BODY[])`,
  `a FETCH ${'1:*,'.repeat(2000)}1 FLAGS`,
  'a STORE 1 FLAGS ((((x))))',
  `a STORE 1 +FLAGS (${'x '.repeat(30)}"y")`,
  'a STATUS INBOX MESSAGES',
  'a STATUS INBOX (NONSENSE)',
  'a LOGIN u p',
  'a STARTTLS',
  'a APPEND INBOX "x"',
];

t.test('no line brings the session down, each gets one tagged or untagged answer', async (t) => {
  for (const line of lines) {
    const { say, ask } = startTalk();
    ask('SELECT INBOX');
    const answer = say(`${line}\r\n`);
    t.match(answer, /(?:^|\r\n)(?:a|\*) (?:OK|NO|BAD) [^\r\n]*\r\n$/, JSON.stringify(line.slice(0, 60)));
    t.equal(ask('NOOP').result, 'OK NOOP completed');
  }
});

t.test('an endless line and a giant literal end the session', async (t) => {
  const endless = startTalk();
  t.match(endless.say('x'.repeat(100_000)), /^\* BYE/);
  t.ok(endless.session.over);
  t.equal(endless.say('a NOOP\r\n'), '');
  for (const size of ['999999999', '99999999999999999999999999', '300000+'])
    t.match(startTalk().say(`a SELECT {${size}}\r\n`), /^\* BYE/, size);
});

t.test('random bytes and random command words never throw', async (t) => {
  const words = [
    'a',
    'FETCH',
    'UID',
    'SEARCH',
    'STORE',
    '1:*',
    '(',
    ')',
    '"',
    '{3}',
    '\r\n',
    '\\',
    'BODY[',
    ']',
    ' ',
    ' ',
    '\0',
    '\xe9',
    '*',
    'NOT',
    'OR',
    'FLAGS',
    'DONE',
    'IDLE',
    '{1+}',
  ];
  let state = 7;
  const next = (below: number): number => (state = (state * 48_271) % 2_147_483_647) % below;
  const { session } = startTalk();
  for (let round = 0; round < 20_000; round += 1) {
    for (const answer of session.receive(Buffer.from(words[next(words.length)] ?? '', 'latin1')))
      if (answer.length === 0) t.fail('an empty answer');
  }
  t.notOk(session.over);
});
