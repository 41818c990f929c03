import t from 'tap';
import { readAutosshWords } from '../../src/autossh/autossh-words.ts';

const plain = { monitor: undefined, background: false, version: false };

t.test('its own options are taken out, in every way of writing them, and the others stay', async (t) => {
  const lines: readonly (readonly [line: string, words: object])[] = [
    ['-M 20000 -g -N -C -L 143:localhost:143 gate', { monitor: '20000', ssh: '-g -N -C -L 143:localhost:143 gate' }],
    ['-M0 -fNqL 1:a:2 host', { monitor: '0', background: true, ssh: '-NqL 1:a:2 host' }],
    ['-fM 20000:7 host', { monitor: '20000:7', background: true, ssh: 'host' }],
    ['-f -M 1 -M 2 host', { monitor: '2', background: true, ssh: 'host' }],
    ['host -M 0 -N -f', { monitor: '0', background: true, ssh: 'host -N' }],
    ['-R 2222:localhost:22 ssh-server', { ssh: '-R 2222:localhost:22 ssh-server' }],
    ['-i f -ofoo=f -o f=V -l fM host', { ssh: '-i f -ofoo=f -o f=V -l fM host' }],
    ['-V', { version: true, ssh: '' }],
  ];
  for (const [line, { ssh, ...own }] of lines as [string, { ssh: string }][])
    t.strictSame(readAutosshWords(line.split(' ')), { ...plain, ...own, ssh: ssh === '' ? [] : ssh.split(' ') }, line);
});

t.test('what stands in the remote command, or behind --, is not its own', async (t) => {
  for (const line of ['-N host ls -M 4 -f -V', '-t host -- screen -f -M 3', '-- host -f'])
    t.strictSame(readAutosshWords(line.split(' ')), { ...plain, ssh: line.split(' ') }, line);
});

t.test('a value that is missing is said', async (t) => {
  for (const line of ['-M', '-N -L', '-fM'])
    t.throws(() => readAutosshWords(line.split(' ')), { code: 'USAGE', message: /-[ML] wants a value/ }, line);
});
