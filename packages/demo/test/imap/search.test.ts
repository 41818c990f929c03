import t from 'tap';
import { startTalk } from './talk.ts';

const cases: readonly (readonly [criteria: string, found: string])[] = [
  ['ALL', ' 1 2 3 4'],
  ['UNSEEN', ' 2 3 4'],
  ['SEEN', ' 1'],
  ['FLAGGED UNSEEN', ' 3'],
  ['NOT FLAGGED', ' 1 2 4'],
  ['OR SEEN FLAGGED', ' 1 3'],
  ['(OR SEEN FLAGGED) NOT SEEN', ' 3'],
  ['SUBJECT welcome', ' 1'],
  ['SUBJECT "an ATTACHMENT"', ' 3'],
  ['FROM juergen', ' 2'],
  ['CHARSET UTF-8 SUBJECT {5+}\r\nKöln', ' 2'],
  ['FROM {7+}\r\nJürgen', ' 2'],
  ['TEXT "a1 LOGOUT"', ' 4'],
  ['BODY =', ' 2 3'],
  ['HEADER Message-ID ""', ' 1 2 3 4'],
  ['HEADER Reply-To list', ' 4'],
  ['2:3', ' 2 3'],
  ['*', ' 4'],
  ['UID 103:*', ' 3 4'],
  ['SINCE 5-Mar-2026', ' 3 4'],
  ['BEFORE 3-Mar-2026', ' 1'],
  ['ON 9-mar-2026', ' 4'],
  ['SENTON 3-Mar-2026', ' 2'],
  ['LARGER 600', ' 3'],
  ['SMALLER 400', ' 4'],
  ['KEYWORD $Label', ''],
  ['UNKEYWORD $Label', ' 1 2 3 4'],
];

t.test('SEARCH finds what the criteria say', async (t) => {
  for (const [criteria, found] of cases) {
    const { say } = startTalk();
    say('a SELECT INBOX\r\n');
    t.equal(say(`b SEARCH ${criteria}\r\n`), `* SEARCH${found}\r\nb OK SEARCH completed\r\n`, criteria);
  }
});

t.test('UID SEARCH answers with UIDs', async (t) => {
  const { say } = startTalk();
  say('a SELECT INBOX\r\n');
  t.equal(say('b UID SEARCH FLAGGED\r\n'), '* SEARCH 103\r\nb OK UID SEARCH completed\r\n');
});

t.test('what cannot be searched for is refused', async (t) => {
  const { ask } = startTalk();
  ask('SELECT INBOX');
  for (const criteria of ['', 'NOT', 'OR SEEN', 'SUBJECT', 'SINCE yesterday', 'NONSENSE', '()', '1:x', 'UID x'])
    t.match(ask(`SEARCH ${criteria}`).result, /^BAD/, criteria);
  t.match(ask('SEARCH CHARSET KOI8-R SUBJECT x').result, /^NO \[BADCHARSET/);
});
