import { PassThrough } from 'node:stream';
import t from 'tap';
import { type ParsedCommand, parseCommandLine } from '../src/command-line.ts';

async function command(...argv: string[]): Promise<ParsedCommand> {
  const parsed = await parseCommandLine(argv, '1.2.3', 100);
  if (parsed.kind === 'text') throw new Error(`a text, not a command: ${parsed.text}`);
  return parsed.command;
}

async function text(...argv: string[]): Promise<string> {
  const parsed = await parseCommandLine(argv, '1.2.3', 100);
  if (parsed.kind === 'command') throw new Error('a command, not a text');
  return parsed.text;
}

/** What completion offers behind `viassh forward WORDS…`. */
async function completed(...words: string[]): Promise<readonly string[]> {
  return (await text('--get-yargs-completions', 'viassh', 'forward', ...words))
    .split('\n')
    .filter((word) => word !== '');
}

t.test('global options are understood before and behind the command', async (t) => {
  for (const argv of [
    ['-p22', '-F', 'file', '--json', 'pipe', 'host'],
    ['pipe', '-p', '22', 'host', '-Ffile', '--json'],
    ['pipe', 'host', '-p', '22', '-F', 'file', '--json', '--', '-p', '33'],
  ]) {
    const { globals } = await command(...argv);
    t.match(globals, { json: true, typed: { port: 22, configFile: 'file' } }, argv.join(' '));
  }
});

t.test('values that look like something else stay strings', async (t) => {
  const { typed } = (await command('pipe', 'host', '-l', '007', '-i', '1e3', '-F', 'true', '-o', '0x10=1')).globals;
  t.match(typed, { user: '007', identityFiles: ['1e3'], configFile: 'true', options: ['0x10=1'] });
});

t.test('options that ssh has and a pipe does not need are taken', async (t) => {
  t.match((await command('pipe', '-xaT', 'host')).globals, { noStdin: false });
  t.match((await command('pipe', '-n', 'host')).globals, { noStdin: true });
});

t.test('-A and -a, of which the last one counts', async (t) => {
  t.equal((await command('pipe', '-A', 'host')).globals.typed.forwardAgent, true);
  t.equal((await command('pipe', '-Aa', 'host')).globals.typed.forwardAgent, false);
  t.equal((await command('pipe', '-a', 'host', '-A')).globals.typed.forwardAgent, true);
  t.equal((await command('pipe', 'host')).globals.typed.forwardAgent, undefined);
});

t.test('mistakes are USAGE with a hint', async (t) => {
  for (const [argv, message] of [
    [[], /command is missing/],
    [['pipe'], /destination is missing/],
    [['pipe', 'a', 'b'], /b/],
    [['pipe', 'a', '--nonsense'], /nonsense/],
    [['pipe', 'a', '--no-json'], /no-json/],
    [['pipe', 'a', '--sub'], /sub/],
    [['pip', 'a'], /pip/],
    [['--transport', 'other', 'pipe', 'a'], /transport/],
    [['pipe', '--no-such-option', 'host'], /no-such-option$/],
    [['imap', '--no-such-option=1', '--', '--other'], /no-such-option$/],
    [['pipe', '--tty', '--', '--other'], /destination is missing/],
    [['imap', '--command', 'x'], /destination is missing/],
    [['-o'], /-o wants a value/],
    [['pipe', 'a', '--port'], /--port wants a value/],
    [['pipe', 'a', '--tty=yes'], /--tty takes no value, and is given 'yes'/],
    [['account', 'rsync', '--read-only=yes', 'key.pub'], /--read-only takes no value, and is given 'yes'/],
    [['account', 'git', '--read-only='], /--read-only takes no value/],
  ] as const) {
    await t.rejects(parseCommandLine(argv, '1.2.3', 100), { code: 'USAGE', message, hint: /--help/ }, argv.join(' '));
  }
});

t.test('a plugin option that is given twice is refused', async (t) => {
  const { run } = await command('imap', 'host', '--command', 'a', '--command', 'b');
  await t.rejects(async () => await run({} as never), { code: 'OPTION_INVALID', message: /--command/ });
});

t.test('help, version and completion are texts', async (t) => {
  t.equal(await text('--version'), '1.2.3');
  t.match(await text('--help'), /pipe <destination>[^]*resolve <destination>[^]*imap <destination>/);
  t.match(await text('-h'), /Exit codes/);
  t.match(await text('imap', '--help'), /--command +COMMAND/);
  for (const line of (await text('pipe', '--help')).split('\n')) t.ok(line.length <= 100, line);
});

t.test('what says how a destination is reached is refused where nothing is', async (t) => {
  for (const [argv, message] of [
    [['-p', '2222', 'recipe', 'git', 'host'], /^-p makes no sense with recipe/],
    [['recipe', '--transport', 'ssh2', 'git', 'host'], /^--transport makes no sense/],
    [['recipe', 'git', '-x'], /^-x makes no sense/],
    [['account', 'git', '-l', 'user', 'key.pub'], /^-l makes no sense with account/],
  ] as const) {
    const { run } = await command(...argv);
    await t.rejects(async () => await run({} as never), { code: 'USAGE', message, hint: /./ }, argv.join(' '));
  }
  t.notMatch(await text('recipe', '--help'), /--port|--transport/);
  t.match(await text('account', 'uucp', '--help'), /--login +NAME: the UUCP login/);
  t.notMatch(await text('account', 'uucp', '--help'), /--port/);
});

t.test('--login of account uucp is its own, and no user of a connection', async (t) => {
  const { globals } = await command('account', 'uucp', '--login', 'ernie', 'key.pub');
  t.equal(globals.typed.user, undefined);
});

t.test('rrsync is in the help and the completion', async (t) => {
  t.match(await text('--help'), /viassh rrsync \[-ro\|-wo\]/);
  t.ok((await text('--get-yargs-completions', 'viassh', '')).split('\n').includes('rrsync'));
  t.equal(await text('--get-yargs-completions', 'viassh', 'rrsync', ''), '');
});

t.test('completion of forward: its own options, and no letter behind two dashes', async (t) => {
  const all = await completed('--');
  for (const option of [
    '--local',
    '--remote',
    '--dynamic',
    '--until-idle',
    '--for',
    '--background',
    '--pid-file',
    '--port',
  ])
    t.ok(all.includes(option), option);
  t.notOk(
    all.some((word) => /^--.$/.test(word)),
    all.join(' '),
  );
  const either = await completed('');
  for (const option of ['-F', '-4', '--local']) t.ok(either.includes(option), option);
});

t.test('a recipe has options of its own, and words behind --', async (t) => {
  const stdout = new PassThrough({ encoding: 'utf8' });
  const printed = async (...argv: string[]): Promise<string> => {
    const { globals, run } = await command('recipe', ...argv);
    const context = { globals, stdout, environment: { variables: {} } };
    t.equal(await run(context as unknown as Parameters<typeof run>[0]), 0);
    return String(stdout.read());
  };
  t.match(await printed('msmtp', 'host', '--command', 'sendmail -bs'), /host --command 'sendmail -bs'/);
  t.match(await printed('--command=sendmail -bs', 'msmtp', 'host'), /host --command 'sendmail -bs'/);
  t.match(await printed('msmtp', 'host', '--', 'sendmail', '-bs'), /host --command 'sendmail -bs'/);
  t.notMatch(await printed('msmtp', 'host'), /--command/);
  t.match(await text('recipe', 'msmtp', '--help'), /recipe \[msmtp DEST \[options\]\][^]*--command +COMMAND/);
  t.notMatch(await text('recipe', 'git', '--help'), /--command/);
  await t.rejects(command('recipe', 'git', 'host', '--command', 'x'), { code: 'USAGE', message: /command/ });
  const { run } = await command('recipe', 'msmtp', 'host', '--to', 'a', '--to', 'b');
  await t.rejects(async () => await run({} as never), {
    code: 'OPTION_INVALID',
    message: /--to is given more than once/,
  });
});
