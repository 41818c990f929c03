import { access, readFile, writeFile } from 'node:fs/promises';
import { join } from 'node:path';
import { startSshd } from '@viassh/testing';
import { onBothTransports as onBoth } from './both-transports.ts';
import { makeGitBench, skipWithoutGit } from './git-bench.ts';
import { applyRecipe } from './recipes-and-accounts.ts';
import { startThree } from './three-hops.ts';

const onBothTransports = (name: string, body: Parameters<typeof onBoth>[1]): void => onBoth(name, body, skipWithoutGit);

onBothTransports('git: clone, push, fetch and a shallow clone bring the commits over', async (t, transport) => {
  await using sshd = await startSshd({ mode: 'listen' });
  const bench = await makeGitBench(t, sshd, transport);
  const far = await bench.makeRepository('one.git');
  await bench.works(t, ['clone', '-q', `t:${far}`, 'one']);
  t.equal(await readFile(join(bench.home, 'one/said'), 'utf8'), 'first\n');
  await bench.works(t, ['clone', '-q', `ssh://${sshd.user}@t:${sshd.port}${far}`, 'two']);
  await writeFile(join(bench.home, 'one/said'), 'second\n');
  await bench.works(t, ['-C', 'one', 'commit', '-qam', 'second']);
  await bench.works(t, ['-C', 'one', 'push', '-q', 'origin', 'main']);
  await bench.works(t, ['-C', 'two', 'fetch', '-q']);
  const head = (await bench.works(t, ['-C', 'one', 'rev-parse', 'HEAD'])).trim();
  t.equal((await bench.works(t, ['-C', 'two', 'rev-parse', 'origin/main'])).trim(), head);
  t.equal(await bench.works(t, ['ls-remote', `t:${far}`, 'main']), `${head}\trefs/heads/main\n`);
  await bench.works(t, ['clone', '-q', '--depth', '1', `t:${far}`, 'shallow']);
  t.equal(await bench.works(t, ['-C', 'shallow', 'log', '--format=%s']), 'second\n');
  await bench.works(t, ['-C', 'shallow', 'fetch', '-q', '--unshallow']);
  t.equal(await bench.works(t, ['-C', 'shallow', 'log', '--format=%s']), 'second\nfirst\n');
});

onBothTransports('git: submodules are cloned through viassh too', async (t, transport) => {
  await using sshd = await startSshd();
  const bench = await makeGitBench(t, sshd, transport);
  const [outer, inner] = [await bench.makeRepository('outer.git'), await bench.makeRepository('inner.git')];
  await bench.works(t, ['clone', '-q', `t:${outer}`, 'work']);
  await bench.works(t, ['-C', 'work', 'submodule', '--quiet', 'add', `t:${inner}`, 'inside']);
  await bench.works(t, ['-C', 'work', 'commit', '-qam', 'with another']);
  await bench.works(t, ['-C', 'work', 'push', '-q']);
  await bench.works(t, ['clone', '-q', '--recurse-submodules', `t:${outer}`, 'again']);
  t.equal(await readFile(join(bench.home, 'again/inside/said'), 'utf8'), 'first\n');
});

onBothTransports('git: protocol version 2 is spoken where sshd accepts GIT_PROTOCOL', async (t, transport) => {
  for (const config of [['AcceptEnv GIT_PROTOCOL'], []]) {
    await using sshd = await startSshd({ config });
    const bench = await makeGitBench(t, sshd, transport);
    const far = await bench.makeRepository('one.git');
    const { code, stderr } = await bench.git(['ls-remote', `t:${far}`], { env: { GIT_TRACE_PACKET: '1' } });
    t.equal(code, 0, stderr);
    t.equal(/ls-remote< version 2$/m.test(stderr), config.length > 0, stderr);
  }
});

onBothTransports(
  'git: paths with blanks, quotes, unicode and dashes are the repositories of that name',
  async (t, transport) => {
    await using sshd = await startSshd();
    const bench = await makeGitBench(t, sshd, transport);
    for (const [index, name] of [
      `it's "one" $(id) of; two.git`,
      '-dash.git',
      'grüße 你好.git',
      'a:b@c.git',
    ].entries()) {
      const far = await bench.makeRepository(name);
      await bench.works(t, ['clone', '-q', `t:${far}`, `plain${index}`]);
      await bench.works(t, [
        'clone',
        '-q',
        `ssh://t${far.split('/').map(encodeURIComponent).join('/')}`,
        `url${index}`,
      ]);
      t.equal(await readFile(join(bench.home, `plain${index}/said`), 'utf8'), 'first\n');
      t.equal(await readFile(join(bench.home, `url${index}/said`), 'utf8'), 'first\n');
    }
  },
);

onBothTransports('git: a host that would be an option or a command runs nothing', async (t, transport) => {
  await using sshd = await startSshd();
  const bench = await makeGitBench(t, sshd, transport);
  const touch = `touch ${bench.home}/ran`;
  for (const url of [
    `-oProxyCommand=${touch}:x`,
    `ssh://-oProxyCommand=${encodeURIComponent(touch)}/x`,
    `;${touch.replaceAll('/', '\\057')}:x`,
    `$(touch ran):x`,
    '`touch ran`:x',
    't\ntouch ran:x',
  ]) {
    const { code, stderr } = await bench.git(['clone', '--', url, 'never']);
    t.equal(code, 128, stderr);
  }
  await t.rejects(access(join(bench.home, 'ran')));
});

onBothTransports('git: viassh git wins over core.sshCommand, ssh.variant and GIT_SSH_COMMAND', async (t, transport) => {
  await using sshd = await startSshd();
  const bench = await makeGitBench(t, sshd, transport);
  const far = await bench.makeRepository('one.git');
  for (const [name, value] of [
    ['core.sshCommand', 'false'],
    ['ssh.variant', 'simple'],
  ] as const)
    await bench.works(t, ['config', '--global', name, value]);
  const env = { GIT_SSH_COMMAND: 'false', GIT_SSH: 'false', GIT_SSH_VARIANT: 'plink' };
  t.match(await bench.works(t, ['ls-remote', `t:${far}`], { env }), /refs\/heads\/main/);
  await bench.works(t, ['clone', '-q', '-4', `t:${far}`, 'one'], { env });
});

onBothTransports('git: clone and push over two hops', async (t, transport) => {
  await using stack = new AsyncDisposableStack();
  const [first, second, far] = await startThree(stack);
  const bench = await makeGitBench(t, far, transport);
  const env = { VIASSH_SSH_OPTIONS: JSON.stringify(['-F', far.configFile, '-J', 'first,second']) };
  const url = `far:${await bench.makeRepository('one.git')}`;
  await bench.works(t, ['clone', '-q', url, 'one'], { env });
  await bench.works(t, ['-C', 'one', 'commit', '-q', '--allow-empty', '-m', 'second'], { env });
  await bench.works(t, ['-C', 'one', 'push', '-q'], { env });
  const head = await bench.works(t, ['-C', 'one', 'rev-parse', 'HEAD']);
  t.equal(await bench.works(t, ['ls-remote', url, 'main'], { env }), `${head.trim()}\trefs/heads/main\n`);
  for (const sshd of [first, second, far])
    t.equal((await sshd.log()).match(/Accepted publickey/g)?.length, 3, 'each command went this way');
});

onBothTransports('git: the recipe, as printed, makes plain git use viassh', async (t, transport) => {
  await using sshd = await startSshd();
  const bench = await makeGitBench(t, sshd, transport);
  const far = await bench.makeRepository('one.git');
  const url = `t:${far}`;
  t.not((await bench.plain(['ls-remote', url])).code, 0, 'nothing else leads there');
  await applyRecipe('git', sshd.destination, { env: bench.env, cwd: bench.home });
  const traced = await bench.plain(['clone', '-4', url, 'one'], { env: { GIT_TRACE: '1' } });
  t.equal(traced.code, 0, traced.stderr);
  t.match(traced.stderr, /viassh-ssh -o SendEnv=GIT_PROTOCOL -4 t /);
});
