import t from 'tap';
import { firstRemotePlace, remotePlace, remoteShellWord, rsyncOperands } from '../../src/rsync/operands.ts';

const operandsOf = (line: string): string[] => rsyncOperands(line.split(' '));
const of = (text: string): unknown => {
  const { destination, daemon, path } = remotePlace(text) ?? {};
  return destination && `${destination}${daemon === true ? ' daemon ' : ' '}${path}`;
};

t.test('operands are found between options and their values', async (t) => {
  t.strictSame(operandsOf('-a a b'), ['a', 'b']);
  t.strictSame(operandsOf('-e ssh:x a h:b'), ['a', 'h:b']);
  t.strictSame(operandsOf('-avze ssh a h:b -n'), ['a', 'h:b']);
  t.strictSame(operandsOf('-essh a h:b'), ['a', 'h:b']);
  t.strictSame(operandsOf('--rsh ssh a --exclude h:x h:b'), ['a', 'h:b']);
  t.strictSame(operandsOf('--rsh=ssh --exclude=h:x a h:b'), ['a', 'h:b']);
  t.strictSame(operandsOf('--delete a -f -/ h:b -M --log-file=x:y -T t:t'), ['a', 'h:b']);
  t.strictSame(operandsOf('-a -- -x h:-y'), ['-x', 'h:-y']);
  t.strictSame(operandsOf('- -a'), ['-']);
});

t.test('a place on another machine is told from a local file as rsync tells them', async (t) => {
  t.equal(of('host:path'), 'host path');
  t.equal(of('user@host:'), 'user@host ');
  t.equal(of('user@host:/a b/c:d'), 'user@host /a b/c:d');
  t.equal(of('[::1]:path'), '[::1] path');
  t.equal(of('u@[fe80::1%eth0]:path'), 'u@[fe80::1%eth0] path');
  t.equal(of('host::module/x'), 'host daemon module/x');
  t.equal(of('[::1]::module'), '[::1] daemon module');
  t.equal(of('rsync://u@host:873/module/x'), 'u@host daemon module/x');
  t.equal(of('RSYNC://[::1]/m'), '[::1] daemon m');
  t.equal(of('./a:b'), undefined);
  t.equal(of('/a:b'), undefined);
  t.equal(of('folder/a:b'), undefined);
  t.equal(of(':b'), undefined);
  t.equal(of('plain'), undefined);
  t.equal(of('-oProxyCommand=touch x:foo'), '-oProxyCommand=touch x foo');
  t.equal(firstRemotePlace(['-e', 'x:y', 'a', 'h:b'])?.destination, 'h');
});

t.test('a path of the remote shell survives the way in which rsync splits it', async (t) => {
  t.equal(remoteShellWord('/usr/bin/viassh-ssh'), '/usr/bin/viassh-ssh');
  t.equal(remoteShellWord("/it's here/x"), "'/it''s here/x'");
});
