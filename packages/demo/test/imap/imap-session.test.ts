import t from 'tap';
import { demoMails } from '@viassh/demo';
import { createMailboxes } from '../../src/imap/mailbox.ts';
import { startTalk } from './talk.ts';

t.test('the greeting is PREAUTH with the capabilities', async (t) => {
  const { session, ask } = startTalk();
  t.match(session.greeting, /^\* PREAUTH \[CAPABILITY IMAP4rev1[^\]]*\] [^\r\n]+\r\n$/);
  t.match(ask('CAPABILITY'), { lines: [/^\* CAPABILITY IMAP4rev1/], result: /^OK/ });
});

t.test('LIST finds by pattern, and tells the separator', async (t) => {
  const { ask } = startTalk();
  t.strictSame(ask('LIST "" ""').lines, ['* LIST (\\Noselect) "/" ""']);
  t.equal(ask('LIST "" *').lines.length, 2);
  t.equal(ask('LIST "" "%"').lines.length, 2);
  t.strictSame(ask('LIST "" inbox').lines, ['* LIST (\\HasNoChildren) "/" "INBOX"']);
  t.strictSame(ask('LSUB "" A%').lines, ['* LSUB (\\HasNoChildren) "/" "Archive"']);
  t.strictSame(ask('LIST "" nothing*').lines, []);
  t.strictSame(ask('LIST "" (a)').result, 'BAD pattern missing');
});

t.test('SELECT tells what is there, EXAMINE changes nothing, STATUS needs neither', async (t) => {
  const { ask } = startTalk();
  const { lines, result } = ask('SELECT inbox');
  t.ok(lines.includes('* 4 EXISTS'));
  t.ok(lines.includes('* OK [UNSEEN 2] first unseen'));
  t.match(result, 'OK [READ-WRITE]');
  t.match(ask('EXAMINE INBOX').result, 'OK [READ-ONLY]');
  t.match(ask('FETCH 2 BODY[TEXT]').lines.join('\n'), /BODY\[TEXT\]/);
  t.strictSame(ask('STATUS INBOX (MESSAGES UNSEEN UIDNEXT)').lines, [
    '* STATUS "INBOX" (MESSAGES 4 UNSEEN 3 UIDNEXT 105)',
  ]);
  t.match(ask('STORE 1 +FLAGS (\\Deleted)').result, /^NO/);
  t.match(ask('SELECT missing').result, /^NO \[NONEXISTENT\]/);
  t.match(ask('FETCH 1 FLAGS').result, /^BAD no mailbox/, 'a failed SELECT leaves nothing selected');
});

t.test('FETCH gives the mails byte for byte', async (t) => {
  const { ask, say } = startTalk();
  ask('SELECT INBOX');
  for (const [index, { raw }] of demoMails().entries()) {
    const answer = say(`x FETCH ${index + 1} BODY.PEEK[]\r\n`);
    t.equal(
      answer,
      `* ${index + 1} FETCH (BODY[] {${raw.length}}\r\n${raw.toString('latin1')})\r\nx OK FETCH completed\r\n`,
    );
    const [header, text] = ['HEADER', 'TEXT'].map((section) => {
      const [, size = '', rest = ''] =
        /\{(\d+)\}\r\n([^]*)/.exec(say(`x FETCH ${index + 1} BODY.PEEK[${section}]\r\n`)) ?? [];
      return rest.slice(0, Number(size));
    });
    t.equal(`${header}${text}`, raw.toString('latin1'), 'header and text together are the mail');
  }
});

t.test('FETCH of attributes, sections and ranges', async (t) => {
  const { ask, say } = startTalk();
  ask('SELECT INBOX');
  t.strictSame(ask('FETCH 1 (UID FLAGS RFC822.SIZE INTERNALDATE)').lines, [
    '* 1 FETCH (UID 101 FLAGS (\\Seen) RFC822.SIZE 482 INTERNALDATE " 2-Mar-2026 08:15:00 +0000")',
  ]);
  t.match(
    ask('FETCH 1 ENVELOPE').lines[0],
    '"Welcome to the mailbox at the other end" (("Demo, the postmaster" NIL "postmaster" "demo.example"))',
  );
  t.match(ask('FETCH 4 ENVELOPE').lines[0], '"Lines that break weak carriers"', 'a folded subject is unfolded');
  t.match(
    ask('FETCH 3 BODYSTRUCTURE').lines[0],
    /\(\("TEXT" "PLAIN" .*\)\("TEXT" "CSV" .*"BASE64" 46 1 .*\) "MIXED" \("BOUNDARY" "=_part_7"\)/,
  );
  t.match(say('x FETCH 3 BODY.PEEK[2]\r\n'), 'BODY[2] {46}\r\nbmFtZSx2YWx1ZQpwYXNzZWQsMTI4CmZhaWxlZCwwCg==\r\n)');
  t.match(say('x FETCH 1 BODY.PEEK[1]\r\n'), 'BODY[1] {167}\r\nYou read this', 'part 1 of a plain mail is its text');
  t.match(say('x FETCH 3 BODY.PEEK[9]\r\n'), 'BODY[9] NIL');
  t.match(say('x FETCH 1 BODY.PEEK[TEXT]<4.4>\r\n'), 'BODY[TEXT]<4> {4}\r\nread)');
  t.match(say('x FETCH 1 BODY.PEEK[TEXT]<9999.4>\r\n'), 'BODY[TEXT]<9999> {0}\r\n)');
  t.match(
    say('x FETCH 1 BODY.PEEK[HEADER.FIELDS (subject "TO")]\r\n'),
    'To: You <you@demo.example>\r\nSubject: Welcome to the mailbox at the other end\r\n\r\n)',
  );
  t.notMatch(say('x FETCH 1 BODY.PEEK[HEADER.FIELDS.NOT (SUBJECT)]\r\n'), 'Subject:');
  t.equal(ask('FETCH 1:* FAST').lines.length, 4);
  t.equal(ask('FETCH *:3 UID').lines.length, 2, 'ranges may be the wrong way round');
  t.strictSame(ask('UID FETCH 103:999 FLAGS').lines, [
    '* 3 FETCH (UID 103 FLAGS (\\Flagged))',
    '* 4 FETCH (UID 104 FLAGS ())',
  ]);
  t.strictSame(ask('UID FETCH 999:* UID').lines, ['* 4 FETCH (UID 104)'], '* is the largest, RFC 3501 §6.4.8');
});

t.test('reading marks as seen, peeking does not', async (t) => {
  const { ask, say } = startTalk();
  ask('SELECT INBOX');
  say('x FETCH 2 (BODY.PEEK[] BODY[HEADER.FIELDS (SUBJECT)])\r\n');
  t.match(ask('FETCH 2 FLAGS').lines[0], '\\Seen');
  say('x FETCH 4 BODY.PEEK[]\r\n');
  t.notMatch(ask('FETCH 4 FLAGS').lines[0], '\\Seen');
});

t.test('STORE sets, adds and takes away; EXPUNGE renumbers; sessions share the mailbox', async (t) => {
  const mailboxes = createMailboxes();
  const [one, other] = [startTalk(mailboxes), startTalk(mailboxes)];
  one.ask('SELECT INBOX');
  other.ask('SELECT INBOX');
  t.strictSame(one.ask('STORE 2 FLAGS (\\seen $Label)').lines, ['* 2 FETCH (FLAGS (\\Seen $Label))']);
  t.strictSame(one.ask('UID STORE 102 -FLAGS $Label').lines, ['* 2 FETCH (UID 102 FLAGS (\\Seen))']);
  t.strictSame(one.ask('STORE 1:2 +FLAGS.SILENT \\Deleted').lines, []);
  t.match(one.ask('STORE 1 +FLAGS (\\Recent)').result, /^BAD/);
  t.strictSame(one.ask('EXPUNGE').lines, ['* 2 EXPUNGE', '* 1 EXPUNGE']);
  t.match(one.ask('FETCH 1 UID').lines[0], 'UID 103');
  t.match(other.ask('FETCH 1 UID').lines[0], 'UID 101', 'numbers of another session stay until it selects again');
  t.ok(other.ask('SELECT INBOX').lines.includes('* 2 EXISTS'));
  t.equal(other.ask('CLOSE').result, 'OK CLOSE completed');
});

t.test('literals, synchronising or not, are arguments like others', async (t) => {
  const { say } = startTalk();
  t.equal(say('a SELECT {5}\r\n'), '+ go on\r\n');
  t.match(say('INBOX\r\n'), /a OK \[READ-WRITE\]/);
  t.match(say('b STATUS {5+}\r\nINBOX (MESSAGES)\r\n'), '* STATUS "INBOX" (MESSAGES 4)');
  t.match(say('c SELECT {7+}\r\nno\r\nbox\r\n'), 'c NO', 'a literal may hold line ends');
});

t.test('pipelined commands and commands in pieces are answered alike', async (t) => {
  const script = 'a NOOP\r\nb SELECT INBOX\r\nc SEARCH SUBJECT {6}\r\nreport\r\nd LOGOUT\r\ne NOOP\r\n';
  const whole = startTalk().say(script);
  const piecewise = startTalk();
  t.equal(Array.from(script, (byte) => piecewise.say(byte)).join(''), whole);
  t.match(whole, /\* SEARCH 3\r\n[^]*\* BYE [^\r]*\r\nd OK LOGOUT completed\r\n$/, 'nothing is answered after LOGOUT');
  t.ok(piecewise.session.over);
});

t.test('IDLE waits for DONE', async (t) => {
  const { say } = startTalk();
  t.equal(say('a IDLE\r\n'), '+ idling\r\n');
  t.equal(say('done\r\n'), 'a OK IDLE completed\r\n');
  t.match(say('b IDLE\r\nc NOOP\r\n'), 'b BAD');
});
