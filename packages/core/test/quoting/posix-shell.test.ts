import { spawnSync } from 'node:child_process';
import t from 'tap';
import { quoteCommand, quoteWord } from '@viassh/core';
import { isMissing } from '../find-program.ts';
import { randomString, seededRandom } from '../random.ts';

const adversarial = [
  '',
  '\t',
  '\n',
  'a\nb',
  '\n\n',
  'a\r\nb',
  '$(id)\n`id`',
  '\u00a0',
  '\u2028',
  '\u202e',
  '\u0001',
  '\u001b[31m',
  '\u007f',
  '\ufeff',
  ...String.raw`' '' ''' " \ \\ \' '\'' a\ $ $HOME ${'$'}{HOME} $(id) $((1+1)) $@ $* $$ $? $'a' ! !! !ls # #a a# ~ ~root ~+`.split(
    ' ',
  ),
  ...'* ? [a-z] /* {a,b} {1..3} | || & && ; ;; < > >> <(id) >(id) 2>&1 ( ) { } ` `id` "quoted" \\n \\0 \\x41'.split(
    ' ',
  ),
  ...'-n -e -- - = a=b PATH= =ls %1 % ^ a^b @ + : , . .. / a/b a@b:c ü 日本語 🙂'.split(' '),
  ...'if then fi do done case esac for while in function select time until exit cd test'.split(' '),
  ..."|  a  b  |; rm -rf /tmp/none|\"; id; \"|'; id; '|a b|it's| ".split('|'),
  'x'.repeat(100_000),
];

/** What each word arrives as, behind a shell. */
function arrived(shell: readonly string[], words: readonly string[]): string[] {
  const [file = '', ...args] = shell;
  const command = quoteCommand([
    process.execPath,
    '-e',
    'process.stdout.write(JSON.stringify(process.argv.slice(1)))',
    '--',
    ...words,
  ]);
  const { stdout, stderr } = spawnSync(file, [...args, '-c', command], { encoding: 'utf8', cwd: '/' });
  try {
    return JSON.parse(stdout) as string[];
  } catch {
    throw new Error(`${file} said: ${stdout}${stderr}`);
  }
}

// sh has to be there; the others are met where they are.
const others = [['dash'], ['bash'], ['bash', '--posix'], ['busybox', 'sh'], ['ksh'], ['mksh'], ['zsh']];
const shells = [['sh'], ...others.filter(([shell = '']) => isMissing(shell) === false)];

for (const shell of shells) {
  t.test(`every word arrives through ${shell.join(' ')} as it was`, async (t) => {
    const short = adversarial.filter((word) => word.length < 1000);
    t.same(arrived(shell, short), short);
    const long = adversarial.filter((word) => word.length >= 1000);
    t.same(arrived(shell, long), long);
    const random = seededRandom(2024);
    const alphabet = [...'ab \t\n\'"\\$`!#~*?[]{}()<>|&;=%^@+:,.-ü\u0001\u007f'];
    const words = Array.from({ length: 500 }, () => randomString(random, alphabet, 0, 12));
    t.same(arrived(shell, words), words);
  });

  t.test(`as a command name no word is grammar for ${shell.join(' ')}`, async (t) => {
    const [file = '', ...args] = shell;
    const names = [
      'if',
      'then',
      'fi',
      'do',
      'done',
      'case',
      'esac',
      'for',
      'while',
      'until',
      'in',
      'function',
      'select',
      'A=b',
      '{',
      '}',
      '!',
      '#x',
    ];
    for (const name of names) {
      // No program of that name is there: a shell that looks for one says 127.
      const { status } = spawnSync(file, [...args, '-c', `PATH=/nowhere\n${quoteCommand([name, 'x'])}`]);
      t.equal(status, 127, name);
    }
  });
}

t.test('words that need no quotes are left readable', async (t) => {
  t.equal(
    quoteCommand(['rsync', '--server', '-e.LsfxCIvu', '.', 'user@host:/path/to,file_1+2%']),
    'rsync --server -e.LsfxCIvu . user@host:/path/to,file_1+2%',
  );
});

t.test('quotes are closed around what they cannot hold', async (t) => {
  t.equal(quoteWord("it's"), "'it'\\''s'");
  t.equal(quoteWord(''), "''");
  t.equal(quoteWord('a\n'), "'a\n'");
});

t.test('NUL cannot be in a word', async (t) => {
  t.throws(() => quoteWord('a\0b'), { code: 'OPTION_INVALID' });
  t.throws(() => quoteCommand(['ok', '\0']), { code: 'OPTION_INVALID' });
});
