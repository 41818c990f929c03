import t from 'tap';
import { cvsProgram } from '../../src/programs/cvs.ts';

const call = (args: readonly string[], variables = {}): unknown =>
  cvsProgram.call(args, { path: '/bin/viassh-ssh' }, variables);

void t.test('arguments pass untouched, and CVS_RSH is set', async (t) => {
  for (const args of [
    ['-q', 'update', '-d'],
    ['-z3', '-d', ':ext:u@host:/path', 'co', 'a module'],
    ['-d:pserver:host:2401/path', 'login'],
    ['-d', ':extssh;CVS_RSH=/opt/ssh:host:2222/path', 'co', 'm'],
    ['-d', '/here', 'init'],
    ['commit', '-m', '-d :extssh:host:/path'],
  ])
    t.strictSame(call(args), { file: 'cvs', args, env: { CVS_RSH: '/bin/viassh-ssh' } });
});

void t.test('a root that would go around viassh is refused with the one to write', async (t) => {
  for (const [root, instead] of [
    [':extssh:u@host:/path', ':ext:u@host:/path'],
    [':extssh:u@host:2222/path', ':extssh;CVS_RSH=viassh-ssh:u@host:2222/path'],
    [':extssh;CVS_SERVER=/opt/cvs:host:22/path', ':extssh;CVS_RSH=viassh-ssh;CVS_SERVER=/opt/cvs:host:22/path'],
    [':ext:u@host:2222/path', ':extssh;CVS_RSH=viassh-ssh:u@host:2222/path'],
    ['u@host:2222/path', ':extssh;CVS_RSH=viassh-ssh:u@host:2222/path'],
    [':ext=ssh:host:/path', ':ext:host:/path'],
  ] as const) {
    const refusal = { code: 'OPTION_INVALID', hint: `write the root as '${instead}'` };
    for (const args of [
      ['-d', root, 'co'],
      [`-d${root}`, 'co'],
      ['-qd', root, 'co'],
      ['-z', '3', '-d', root, 'co'],
    ])
      t.throws(() => call(args), refusal, args.join(' '));
    t.throws(() => call(['update'], { CVSROOT: root }), refusal);
    t.doesNotThrow(() => call(['-d', instead, 'update'], { CVSROOT: root }), `-d wins over CVSROOT=${root}`);
  }
});
