import { isViasshError } from '@viassh/core';
import t from 'tap';
import { readSshWords, sshLetters } from '../../src/personality/ssh-getopt.ts';

const cases: readonly (readonly [argv: string, options: string, destination: string | undefined, words: string])[] = [
  ['host', '', 'host', ''],
  ['-qi file host rsync --server .', '-q -i=file', 'host', 'rsync --server .'],
  ['-qifile -p22 -oA=b host', '-q -i=file -p=22 -o=A=b', 'host', ''],
  ['host -p 22 -v ls -l', '-p=22 -v', 'host', 'ls -l'],
  ['-n host -- -v', '-n', 'host', '-v'],
  ['-- host -v', '', 'host', '-v'],
  ['-- host cvs server', '', 'host', 'cvs server'],
  ['-4 -- -host', '-4', '-host', ''],
  ['host -q', '-q', 'host', ''],
  ['host - -q', '', 'host', '- -q'],
  ['-i -oProxyCommand=x host', '-i=-oProxyCommand=x', 'host', ''],
  ['-ttTvvv host', '-t -t -T -v -v -v', 'host', ''],
  ['-E/log -P tag host', '-E=/log -P=tag', 'host', ''],
  ['-V', '-V', undefined, ''],
];

for (const [argv, options, destination, words] of cases) {
  t.test(`ssh ${argv}`, async (t) => {
    const read = readSshWords(argv.split(' '));
    const shown = read.options.map(({ letter, value }) => `-${letter}${value === undefined ? '' : `=${value}`}`);
    t.strictSame([shown.join(' '), read.destination, read.words.join(' ')], [options, destination, words]);
  });
}

t.test('a letter that ssh has not, and a value that is missing, are USAGE', async (t) => {
  for (const argv of [['-Z', 'h'], ['-qZ', 'h'], ['-i'], ['h', '-p'], ['--port', 'h'], ['-ü', 'h']]) {
    let failure: unknown;
    try {
      readSshWords(argv);
    } catch (error) {
      failure = error;
    }
    t.ok(isViasshError(failure, 'USAGE'), argv.join(' '));
  }
});

t.test('an empty word is a word of the command, and an empty value is one', async (t) => {
  t.strictSame(readSshWords(['host', '', 'a']).words, ['', 'a']);
  t.strictSame(readSshWords(['-l', '', 'host']).options, [{ letter: 'l', value: '' }]);
});

t.test('the letters of OpenSSH 10, and those with a value', async (t) => {
  t.equal(sshLetters.size, new Set('1246abcefgiklmnopqstvxABCDEFGIJKLMNOPQRSTVwWXYy').size);
  t.equal([...sshLetters.values()].filter(Boolean).length, 'bceilmopBDEFIJLOPQRSwW'.length);
});
