import { execFileSync } from 'node:child_process';
import { readFileSync } from 'node:fs';
import { join } from 'node:path';
import t from 'tap';
import { imapRecipes } from '../../src/recipes/imap-recipes.ts';

const programs = imapRecipes.map(({ program }) => program);
const usual = { viassh: 'viassh', remoteShell: 'viassh-ssh', destination: 'me@mail.example' };

function script(
  program: string,
  raw: Readonly<Record<string, unknown>> = {},
  situation: Partial<typeof usual> = {},
  words: readonly string[] = [],
): string {
  const recipe = imapRecipes.find((each) => each.program === program);
  if (recipe === undefined) throw new Error(program);
  return recipe.script({ ...usual, ...situation }, raw, words);
}

/** Has sh run it in a HOME with these files; gives what it said. */
function apply(home: string, text: string): string {
  return execFileSync('sh', ['-eu', '-c', `exec 2>&1; ${text}`], {
    encoding: 'utf8',
    cwd: home,
    env: { PATH: process.env['PATH'], HOME: home },
  });
}

const refused = { name: 'ViasshError', code: 'OPTION_INVALID', hint: /./ };

t.test('a command that is named twice, or holds a line end, is refused by every recipe', async (t) => {
  for (const program of programs) {
    t.throws(() => script(program, { command: 'a' }, {}, ['b']), { code: 'OPTION_INVALID' }, program);
    t.throws(() => script(program, { command: 'a\nb' }), { code: 'OPTION_INVALID' }, program);
  }
});

t.test('names that a mail program would take apart are refused by every recipe', async (t) => {
  for (const program of programs)
    for (const destination of ["'a b@host'", "'me@host{x}'", "'it'\\''s@host'"])
      t.throws(() => script(program, {}, { destination }), { name: 'ViasshError' }, `${program} ${destination}`);
});

t.test('words behind -- are the command, as --command is', async (t) => {
  for (const program of programs)
    t.equal(script(program, {}, {}, ['imapd', '-x']), script(program, { command: 'imapd -x' }), program);
});

t.test('nobody is asked, and --or-local gets through', async (t) => {
  for (const program of programs.filter((each) => each !== 'imapflow')) {
    t.match(script(program), /viassh imap -o BatchMode=yes me@mail\.example\b/, program);
    t.notMatch(script(program), /--or-local|--command/, program);
    t.match(script(program, { orLocal: true }), / --or-local\b/, program);
  }
});

t.test('fetchmail: what it would split, join or replace otherwise is refused', async (t) => {
  for (const command of ["imapd 'two  blanks'", 'imapd\tx', ' imapd', 'imapd %h', 'imapd x%p'])
    t.throws(() => script('fetchmail', { command }), { code: 'OPTION_INVALID' }, command);
  t.throws(() => script('fetchmail', {}, { viassh: "'/opt/my programs/viassh'" }), refused);
  t.match(script('fetchmail', { command: `imapd "x" '\\y'` }), String.raw`-- imapd \x22x\x22 '\x5cy'"`);
});

t.test('fetchmail: the words of the seeds, a Maildir and a quoted one', async (t) => {
  const text = script('fetchmail', { command: "/usr/local/bin/imapd 'Mail dir'" });
  t.match(text, `plugin "viassh imap -o BatchMode=yes me@mail.example -- /usr/local/bin/imapd 'Mail dir'"`);
  t.match(text, /^ {2}preauth ssh$/m);
  t.match(text, /^ {2}sslproto ''$/m);
});

t.test('mbsync: a Tunnel and no Host; offlineimap: a remotehost beside it', async (t) => {
  t.match(script('mbsync'), /^IMAPStore mail\.example-far\nTunnel "/m);
  t.notMatch(script('mbsync'), /^Host /m);
  t.match(script('offlineimap'), /^preauthtunnel = .*\n(?:#.*\n)?remotehost = mail\.example$/m);
});

t.test('mbsync, offlineimap: folders that their configuration cannot hold are refused', async (t) => {
  for (const program of ['mbsync', 'offlineimap'])
    for (const folder of ['Mail', '/a/', '~', '/a"b', '/a\\b', '/a\nb', '/'])
      t.throws(() => script(program, { folder }), refused, `${program} ${folder}`);
  t.throws(() => script('offlineimap', { folder: '~/Mail/$HOME' }), refused, 'OfflineIMAP puts variables in');
  t.match(script('mbsync', { folder: '~/Mail/$HOME' }), 'Path "~/Mail/$HOME/"');
});

t.test('an address of IPv6 stands in brackets, and where it must not be dialled, by another name', async (t) => {
  const destination = "'me@[::1]'";
  t.match(script('mutt', {}, { destination }), `spoolfile='imap://[::1]/INBOX'`);
  t.match(script('neomutt', {}, { destination }), `spoolfile='imap://ipv6---1.invalid/INBOX'`);
  t.match(script('alpine', {}, { destination }), '{ipv6---1.invalid/user=me}INBOX');
  t.match(script('mbsync', {}, { destination }), /^Far :ipv6---1-far:$/m);
});

for (const program of ['mutt', 'neomutt']) {
  t.test(`${program}: two mailboxes stand beside each other; a tunnel of somebody's own is left alone`, async (t) => {
    const home = t.testdir({ [`.${program}rc`]: '# mine' });
    for (const destination of ['one.example', 'two.example', 'one.example'])
      apply(home, script(program, {}, { destination }));
    const text = readFileSync(join(home, `.${program}rc`), 'utf8');
    t.match(text, /^# mine\n/);
    t.strictSame(
      text.match(/^account-hook (?:\.|'\^imap\S*)/gm)?.map((line) => /one|two|\.$/.exec(line)?.[0]),
      ['.', 'one', 'two'],
      'the one that takes tunnels away stands first, and once',
    );
    const own = t.testdir({ [`.${program}rc`]: "account-hook imap://work 'set tunnel=x'\n" });
    apply(own, script(program));
    t.notMatch(readFileSync(join(own, `.${program}rc`), 'utf8'), /^account-hook \. /m);
  });

  t.test(`${program}: a configuration in another place is found, and not hidden by a new one`, async (t) => {
    const home = t.testdir({ '.config': { [program]: { [`${program}rc`]: '# mine' } } });
    const place = program === 'mutt' ? '.config/mutt/muttrc' : '.config/neomutt/neomuttrc';
    apply(home, script(program));
    t.match(readFileSync(join(home, place), 'utf8'), /set tunnel/);
    t.throws(() => readFileSync(join(home, `.${program}rc`)), { code: 'ENOENT' });
  });
}

t.test('alpine: the inbox of somebody stays; a second mailbox joins the first', async (t) => {
  const home = t.testdir({ '.pinerc': 'inbox-path=/var/mail/me' });
  for (const destination of ['one.example', 'two.example']) apply(home, script('alpine', {}, { destination }));
  const pinerc = readFileSync(join(home, '.pinerc'), 'utf8');
  t.strictSame(pinerc.match(/^inbox-path=.*$/gm), ['inbox-path=/var/mail/me']);
  t.equal(pinerc.match(/^ssh-path=/gm)?.length, 1);
  const command = readFileSync(join(home, '.local/bin/alpine-viassh'), 'utf8');
  t.strictSame(command.match(/^case \$1 in \S+$/gm), [
    'case $1 in one.example.invalid)',
    'case $1 in two.example.invalid)',
  ]);
});

t.test('alpine: a home that it cannot write is said, and nothing is written', async (t) => {
  const home = t.testdir({ 'my home': {} });
  const said = apply(join(home, 'my home'), script('alpine'));
  t.match(said, /no way to write a blank/);
  t.throws(() => readFileSync(join(home, 'my home/.pinerc')), { code: 'ENOENT' });
});

t.test('run twice: said, and nothing changed', async (t) => {
  for (const [program, file] of [
    ['fetchmail', '.fetchmailrc'],
    ['mbsync', '.mbsyncrc'],
    ['offlineimap', '.offlineimaprc'],
    ['imapflow', 'viassh-mailbox.mjs'],
  ] as const) {
    const home = t.testdir();
    t.equal(apply(home, script(program)), '', program);
    const once = readFileSync(join(home, file), 'utf8');
    t.match(apply(home, script(program, { command: 'another' })), /nothing was changed/, program);
    t.equal(readFileSync(join(home, file), 'utf8'), once);
  }
});
