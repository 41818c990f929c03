import t from 'tap';
import { normalizeArgv } from '../../src/arguments/normalize-argv.ts';

const cases: Readonly<Record<string, readonly [argv: string[], normal: string[]]>> = {
  'a value in the next word': [['-p', '22'], ['--port=22']],
  'a glued value': [
    ['-p22', '-oKey=Value'],
    ['--port=22', '--option=Key=Value'],
  ],
  'a value that begins with a dash': [
    ['-o', '-x', '-l', '--'],
    ['--option=-x', '--login=--'],
  ],
  'an empty value': [['-F', ''], ['--config-file=']],
  'a cluster': [['-qC'], ['--quiet', '--compress']],
  'a cluster that ends in a value': [
    ['-4qp22', '-nTJ', 'a,b'],
    ['--inet', '--quiet', '--port=22', '--no-stdin', '--no-tty', '--jump=a,b'],
  ],
  'several -v': [['-vvv'], ['--verbose', '--verbose', '--verbose']],
  'nothing behind --': [
    ['pipe', 'h', '--', '-p', '22', '--', '-Z'],
    ['pipe', 'h', '--', '-p', '22', '--', '-Z'],
  ],
  'long options and a lone dash': [
    ['--json', '--port=1', '-', 'word'],
    ['--json', '--port=1', '-', 'word'],
  ],
};

for (const [name, [argv, normal]] of Object.entries(cases)) {
  t.test(name, async (t) => t.strictSame(normalizeArgv(argv), normal));
}

t.test('a value that is missing is a usage error', async (t) => {
  t.throws(() => normalizeArgv(['pipe', '-F']), { code: 'USAGE', message: '-F wants a value' });
  t.throws(() => normalizeArgv(['-qp']), { code: 'USAGE', message: '-p wants a value' });
});

t.test('an unknown letter is refused by name, also within a cluster', async (t) => {
  t.throws(() => normalizeArgv(['-Z']), { code: 'USAGE', message: 'there is no option -Z' });
  t.throws(() => normalizeArgv(['-qZp22']), { code: 'USAGE', message: 'there is no option -Z (in -qZp22)' });
  t.throws(() => normalizeArgv(['-1']), { code: 'USAGE', message: /-1/ });
});
