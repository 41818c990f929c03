import t from 'tap';
import { splitAtProgram } from '../../src/programs/split-at-program.ts';

const split = (...argv: string[]): ReturnType<typeof splitAtProgram> => splitAtProgram(argv, ['rsh', 'git']);

t.test('what stands behind the program is the program’s, whatever it looks like', async (t) => {
  const args = ['--help', '-h', '--json', '-F', 'x', '--', 'rsh', ''];
  t.strictSame(split('git', ...args), { own: [], command: 'git', args });
});

t.test('our own options before it are not taken for the command, nor their values', async (t) => {
  for (const own of [['-F', 'rsh'], ['-qF', 'rsh'], ['-Frsh'], ['--identity', 'rsh'], ['--port=22'], ['-4Cv'], ['-Fh']])
    t.strictSame(split(...own, 'git', 'status'), { own, command: 'git', args: ['status'] }, own.join(' '));
});

t.test('other commands, our own help and version are not split off', async (t) => {
  for (const argv of [
    [],
    ['pipe', 'git'],
    ['--', 'git'],
    ['-', 'git'],
    ['-F', 'git'],
    ['--help', 'git'],
    ['--version', 'git'],
    ['-qh', 'git'],
  ])
    t.equal(split(...argv), undefined, argv.join(' '));
});
