import { writeFile } from 'node:fs/promises';
import { hostname, userInfo } from 'node:os';
import { join } from 'node:path';
import t from 'tap';
import { parseDestination, resolveRoute } from '@viassh/core';
import { createOpensshConfigSource } from '@viassh/config-openssh';
import { createBench } from './bench.ts';
import { createLocalPrograms, sshIsMissing } from './local-programs.ts';

const { homedir: home, username: localUser } = userInfo();

t.test('ssh’s configuration is what ssh makes of it', { skip: sshIsMissing() }, async (t) => {
  t.test('Host, Match and Include', async (t) => {
    const { withSsh, folder } = await createBench(
      t,
      [
        'Include @FOLDER@/more',
        'Match host work,play user ann',
        '  Port 2222',
        'Host work',
        '  HostName %h.example.org',
        '  User bob',
        'Host *',
        '  User other',
      ].join('\n'),
    );
    await writeFile(join(folder, 'more'), 'Host included\n  HostName 192.0.2.7\n  HostKeyAlias Alias\n');
    t.match(await withSsh('work'), { hostName: 'work.example.org', user: 'bob', port: 22 });
    t.match(await withSsh('ann@work'), { hostName: 'work.example.org', user: 'ann', port: 2222 });
    t.match(await withSsh('included'), {
      hostName: '192.0.2.7',
      user: 'other',
      hostKeyAlias: 'alias',
      destination: { host: 'included' },
    });
    t.match(await withSsh('elsewhere:33'), { hostName: 'elsewhere', port: 33, hostKeyAlias: undefined });
  });

  t.test('an empty configuration: ssh’s own defaults', async (t) => {
    const { withSsh } = await createBench(t);
    t.match(await withSsh('Some.Host'), {
      hostName: 'some.host',
      user: localUser,
      port: 22,
      addressFamily: 'any',
      proxyJump: [],
      proxyCommand: undefined,
      identitiesOnly: false,
      identityAgent: undefined,
      strictHostKeyChecking: 'ask',
      hashKnownHosts: false,
      pubkeyAuthentication: true,
      passwordAuthentication: true,
      kbdInteractiveAuthentication: true,
      numberOfPasswordPrompts: 3,
      serverAliveInterval: 0,
      serverAliveCountMax: 3,
      connectTimeout: undefined,
      compression: false,
      sessionEnv: {},
      userKnownHostsFiles: [`${home}/.ssh/known_hosts`, `${home}/.ssh/known_hosts2`],
    });
    const { identityFiles, ciphers, hostKeyAlgorithms } = await withSsh('host');
    t.ok(identityFiles.includes(`${home}/.ssh/id_ed25519`));
    t.ok(ciphers.includes('aes128-ctr'));
    t.ok(hostKeyAlgorithms.includes('ssh-ed25519'));
  });

  t.test('ProxyJump and ProxyCommand', async (t) => {
    const { withSsh } = await createBench(
      t,
      [
        'Host j',
        '  ProxyJump u@j1:2222,ssh://j2:33,[::1]:44',
        'Host c',
        '  ProxyCommand nc -X 5 %h %p',
        '  ProxyJump later',
        'Host n',
        '  ProxyJump none',
        'Host n c',
        '  ProxyCommand none',
      ].join('\n'),
    );
    t.match(await withSsh('j'), { proxyJump: ['u@j1:2222', 'ssh://j2:33', '[::1]:44'], proxyCommand: undefined });
    t.match(await withSsh('c'), { proxyJump: [], proxyCommand: 'nc -X 5 %h %p' });
    t.match(await withSsh('n'), { proxyJump: [], proxyCommand: undefined });
  });

  t.test('a route lives by each hop’s own configuration', async (t) => {
    const { configFile } = await createBench(
      t,
      [
        'Host end',
        '  ProxyJump a,b',
        'Host a',
        '  ProxyJump z',
        '  User for-a',
        'Host b',
        '  ProxyJump wrong',
        '  ProxyCommand wrong',
        '  User for-b',
        'Host z',
        '  Port 26',
      ].join('\n'),
    );
    const source = createOpensshConfigSource({
      programs: createLocalPrograms(),
      environment: { home, user: localUser, variables: {} },
    });
    const { hops } = await resolveRoute(source, { host: 'end' }, { configFile, user: 'typed', options: ['Port=27'] });
    t.same(
      hops.map(({ user, hostName, port, proxyCommand }) => `${user}@${hostName}:${port} ${proxyCommand ?? ''}`),
      [`${localUser}@z:26 `, 'for-a@a:22 ', 'for-b@b:22 ', 'typed@end:27 '],
    );
  });

  t.test('jump hosts that need each other are a loop', async (t) => {
    const { configFile } = await createBench(
      t,
      'Host a\n  ProxyJump b\nHost b\n  ProxyJump a\nHost self*\n  ProxyJump self',
    );
    const source = createOpensshConfigSource({
      programs: createLocalPrograms(),
      environment: { home, user: localUser, variables: {} },
    });
    for (const host of ['a', 'self'])
      await t.rejects(resolveRoute(source, { host }, { configFile }), { code: 'CONFIG_INVALID' });
  });

  t.test('IdentityFile with ~, tokens, variables, blanks', async (t) => {
    const { withSsh } = await createBench(
      t,
      [
        'Host h',
        '  HostName real',
        '  User bob',
        '  IdentityFile ~/.ssh/%h-%r-%n-%k-%p-%u-%%',
        '  IdentityFile "~/my keys/%L"',
        '  IdentityFile %d/${KEY_NAME}',
        'Host none',
        '  IdentityFile none',
        'Host token',
        '  IdentityFile %Z',
        'Host unset',
        '  IdentityFile ${UNSET}',
      ].join('\n'),
    );
    const variables = { KEY_NAME: 'id_%h' };
    const { identityFiles } = await withSsh('h:2222', undefined, variables);
    t.same(identityFiles, [
      `${home}/.ssh/real-bob-h-h-2222-${localUser}-%`,
      `${home}/my keys/${hostname().split('.')[0]}`,
      `${home}/id_%h`,
    ]);
    t.same((await withSsh('none')).identityFiles, []);
    await t.rejects(withSsh('token'), { code: 'CONFIG_INVALID', message: /%Z/ });
    await t.rejects(withSsh('unset'), { code: 'CONFIG_INVALID', message: /UNSET/ });
  });

  t.test('IdentityAgent in every form', async (t) => {
    const { withSsh } = await createBench(
      t,
      [
        'Host none',
        '  IdentityAgent none',
        'Host sock',
        '  IdentityAgent SSH_AUTH_SOCK',
        'Host named',
        '  IdentityAgent $MY_AGENT',
        'Host path',
        '  IdentityAgent ~/agents/%h.sock',
        'Host braces',
        '  IdentityAgent "${HOME}/agent sock"',
      ].join('\n'),
    );
    const variables = { SSH_AUTH_SOCK: '/run/default', MY_AGENT: '/run/mine' };
    const agentOf = async (host: string, set: Record<string, string> = variables): Promise<string | undefined> =>
      (await withSsh(host, undefined, set)).identityAgent;
    t.equal(await agentOf('unset-in-config'), '/run/default');
    t.equal(await agentOf('none'), undefined);
    t.equal(await agentOf('sock'), '/run/default');
    t.equal(await agentOf('named'), '/run/mine');
    t.equal(await agentOf('path'), `${home}/agents/path.sock`);
    t.equal(await agentOf('braces'), `${process.env['HOME']}/agent sock`, 'expanded by ssh itself');
    for (const host of ['unset-in-config', 'sock', 'named'])
      t.equal(await agentOf(host, {}), undefined, `${host} without variables`);
    t.equal(await agentOf('sock', { SSH_AUTH_SOCK: '' }), undefined);
  });

  t.test('SendEnv and SetEnv become the environment of the session', async (t) => {
    const { withSsh } = await createBench(
      t,
      ['SendEnv LANG LC_* X?', 'SendEnv -LC_TIME', 'SetEnv A=1 B="two words" C=x=y LANG=set', 'SetEnv D=later'].join(
        '\n',
      ),
    );
    const variables = { LANG: 'de_DE', LC_ALL: 'C', LC_TIME: 'C', X1: 'one', X12: 'no', HOME: '/secret', PATH: '/bin' };
    const { sessionEnv } = await withSsh('host', undefined, variables);
    t.same(
      { ...sessionEnv, LC_TIME: undefined },
      { LANG: 'set', LC_ALL: 'C', X1: 'one', A: '1', B: 'two words', C: 'x=y', LC_TIME: undefined },
    );
  });

  t.test('known_hosts files: lists, none, tokens, blanks in a name', async (t) => {
    const { withSsh } = await createBench(
      t,
      [
        'Host list',
        '  UserKnownHostsFile ~/kh1 "/tmp/with blank/kh" %d/x',
        '  GlobalKnownHostsFile none',
        'Host none',
        '  UserKnownHostsFile none',
        '  GlobalKnownHostsFile /g1 /g2',
      ].join('\n'),
    );
    const list = await withSsh('list');
    t.same(list.userKnownHostsFiles, [`${home}/kh1`, '/tmp/with blank/kh', `${home}/x`]);
    t.same(list.globalKnownHostsFiles, []);
    const none = await withSsh('none');
    t.same(none.userKnownHostsFiles, []);
    t.same(none.globalKnownHostsFiles, ['/g1', '/g2']);
  });

  t.test('StrictHostKeyChecking in all its spellings', async (t) => {
    const { withSsh, configFile } = await createBench(t);
    const cases = {
      yes: 'yes',
      true: 'yes',
      no: 'no',
      off: 'no',
      false: 'no',
      ask: 'ask',
      'accept-new': 'accept-new',
      'Accept-New': 'accept-new',
    };
    for (const [value, meaning] of Object.entries(cases)) {
      const { strictHostKeyChecking } = await withSsh('host', {
        configFile,
        options: [`StrictHostKeyChecking=${value}`],
      });
      t.equal(strictHostKeyChecking, meaning, value);
    }
  });

  t.test('typed options win over the file', async (t) => {
    const { withSsh, configFile } = await createBench(
      t,
      'User file\nPort 1\nProxyJump file\nCompression no\nAddressFamily inet6\nIdentityFile /file',
    );
    const resolved = await withSsh('dest@host:2', {
      configFile,
      user: 'typed',
      port: 3,
      proxyJump: 'typed',
      compression: true,
      addressFamily: 'inet',
      identityFiles: [configFile],
    });
    t.match(resolved, {
      user: 'typed',
      port: 3,
      proxyJump: ['typed'],
      compression: true,
      addressFamily: 'inet',
      identityFiles: [configFile, '/file'],
    });
    t.match(await withSsh('dest@host:2'), { user: 'dest', port: 2 });
  });

  t.test('a bad option or line is CONFIG_INVALID with ssh’s words', async (t) => {
    const { withSsh, configFile, folder } = await createBench(t, 'Host *\n  Nonsense yes\n');
    await t.rejects(withSsh('host'), {
      code: 'CONFIG_INVALID',
      message: /config: line 2: Bad configuration option: nonsense/,
    });
    for (const [option, words] of [
      ['Nonsense=1', /Bad configuration option: nonsense/],
      ['Port=99999', /Bad port '99999'/],
      ['Compression=maybe', /maybe/],
      ['ProxyJump=-x', /-x/],
    ] as const) {
      const typed = { configFile: 'none', options: [option] };
      await t.rejects(withSsh('host', typed), { code: 'CONFIG_INVALID', message: words, hint: /-G HOST/ }, option);
    }
    await t.rejects(withSsh('host', { configFile: join(folder, 'not-there') }), {
      code: 'CONFIG_INVALID',
      message: /not-there/,
    });
    await t.rejects(withSsh('host', { configFile: 'none', proxyJump: 'a', options: ['ProxyCommand=b'] }), {
      code: 'CONFIG_INVALID',
      message: /ProxyCommand/,
    });
    t.ok(configFile);
  });

  t.test('a User with shell characters in the configuration is refused', async (t) => {
    const { withSsh } = await createBench(
      t,
      'Host semicolon\n  User "a;reboot"\nHost quote\n  User "a`id`"\nHost dash\n  User -oX\nHost dollar\n  User a$HOME',
    );
    for (const host of ['semicolon', 'quote', 'dash', 'dollar']) {
      await t.rejects(withSsh(host), { code: /^(CONFIG|DESTINATION)_INVALID$/ }, host); // by ssh itself, or older ones by us
    }
  });
});

t.test('the host is the last word, behind --, and never runs anything', { skip: sshIsMissing() }, async (t) => {
  const programs = createLocalPrograms();
  const source = createOpensshConfigSource({ programs, environment: { home, user: localUser, variables: {} } });
  await source.resolve(parseDestination('me@host:2222'), { configFile: 'none', options: ['ProxyCommand=false'] });
  t.same(programs.calls, [
    ['ssh', '-G', '-T', '-F', 'none', '-o', 'ProxyCommand=false', '-l', 'me', '-p', '2222', '--', 'host'],
  ]);
  t.equal(source.name, 'ssh -G');
});

t.test('a failure to run ssh other than its absence comes through', async (t) => {
  const programs = createLocalPrograms();
  const source = createOpensshConfigSource({ programs, environment: { home, user: localUser, variables: {} } });
  const reason = new Error('enough');
  await t.rejects(source.resolve({ host: 'host' }, {}, AbortSignal.abort(reason)), reason);
});
