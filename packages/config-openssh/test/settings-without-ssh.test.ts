import { rm, writeFile } from 'node:fs/promises';
import { userInfo } from 'node:os';
import { join } from 'node:path';
import t from 'tap';
import type { TypedOptions } from '@viassh/core';
import { createBench } from './bench.ts';

t.test('nothing configured: defaults', async (t) => {
  const { withoutSsh, configFile, folder } = await createBench(t);
  await rm(configFile);
  t.match(await withoutSsh('host'), {
    hostName: 'host',
    user: userInfo().username,
    port: 22,
    proxyJump: [],
    identityFiles: ['id_rsa', 'id_ecdsa', 'id_ed25519'].map((name) => join(folder, '.ssh', name)),
    userKnownHostsFiles: [`${folder}/.ssh/known_hosts`, `${folder}/.ssh/known_hosts2`],
    globalKnownHostsFiles: ['/etc/ssh/ssh_known_hosts', '/etc/ssh/ssh_known_hosts2'],
    strictHostKeyChecking: 'ask',
    ciphers: [],
  });
});

t.test('typed options apply', async (t) => {
  const { withoutSsh, folder } = await createBench(t);
  const typed: TypedOptions = {
    options: [
      'HostName=real',
      'StrictHostKeyChecking=yes',
      'identityfile ~/o',
      'SetEnv=A=1 B=2',
      'UserKnownHostsFile=~/a /b',
      'ProxyCommand=nc %h %p | tee "x"',
    ],
    identityFiles: ['~/my key'],
    user: 'me',
    port: 2222,
    addressFamily: 'inet6',
    compression: true,
  };
  t.match(await withoutSsh('dest@host:1', typed), {
    hostName: 'real',
    user: 'me',
    port: 2222,
    strictHostKeyChecking: 'yes',
    identityFiles: [`${folder}/o`, `${folder}/my key`],
    sessionEnv: { A: '1', B: '2' },
    userKnownHostsFiles: [`${folder}/a`, '/b'],
    proxyCommand: 'nc %h %p | tee "x"',
    addressFamily: 'inet6',
    compression: true,
  });
});

t.test('a configuration that would apply is an error that names the way out', async (t) => {
  const applying = [
    'Port 2222',
    'Host host\n  Port 2222',
    'Host h?st\n  User x',
    'Host other *\n  User x',
    'Host "host"\n  User x',
    'Host=host\n  User=x',
    'host HOST\r\n  user x\r\n',
    'Host other\n  User y\nHost *\n  User x',
    'Host other\n  User y\nMatch user z\n  Port 1',
    'Include more',
    'Host other\n  Include more',
  ];
  for (const config of applying) {
    const { withoutSsh, configFile } = await createBench(t, config);
    await t.rejects(withoutSsh('host'), { code: 'CONFIG_NEEDS_SSH', message: configFile, hint: /-F none/ }, config);
    await t.resolves(withoutSsh('host', { configFile: 'none' }), `-F none passes: ${config}`);
  }
});

t.test('a configuration that says nothing of the host passes', async (t) => {
  const silent = [
    '',
    '# Port 2222\n\n',
    'Host other\n  Port 2222',
    'Host * !host\n  Port 2222',
    'Host !host\n  Port 1',
    'Host *.example.org\n  User x',
    'Host host',
    'Host hos\n User x',
  ];
  for (const config of silent) {
    const { withoutSsh } = await createBench(t, config);
    t.match(await withoutSsh('host'), { port: 22 }, config);
  }
});

t.test('-F FILE is looked at in the place of ~/.ssh/config, and must be there', async (t) => {
  const { withoutSsh, folder } = await createBench(t, 'Port 2222');
  const configFile = join(folder, 'mine');
  await writeFile(configFile, 'Host other\n  Port 1');
  t.match(await withoutSsh('host', { configFile }), { port: 22 });
  await t.rejects(withoutSsh('other', { configFile }), { code: 'CONFIG_NEEDS_SSH', message: configFile });
  await t.rejects(withoutSsh('host', { configFile: join(folder, 'not-there') }), {
    code: 'CONFIG_INVALID',
    message: /not-there/,
  });
  await t.rejects(withoutSsh('host', { configFile: folder }), { code: 'CONFIG_INVALID' });
});

const refused: readonly [code: 'CONFIG_INVALID' | 'CONFIG_NEEDS_SSH', option: string][] = [
  ['CONFIG_NEEDS_SSH', 'Nonsense=1'],
  ['CONFIG_NEEDS_SSH', 'CanonicalizeHostname=yes'],
  ['CONFIG_NEEDS_SSH', 'SendEnv=LANG'],
  ['CONFIG_NEEDS_SSH', 'Ciphers=+aes128-cbc'],
  ['CONFIG_NEEDS_SSH', 'KexAlgorithms=^curve25519-sha256'],
  ['CONFIG_NEEDS_SSH', 'MACs=-hmac-sha1*'],
  ['CONFIG_NEEDS_SSH', 'HostName=%h.example.org'],
  ['CONFIG_NEEDS_SSH', 'ConnectTimeout=1m'],
  ['CONFIG_NEEDS_SSH', 'User="a b"'],
  ['CONFIG_NEEDS_SSH', 'Port=22 # the usual'],
  ['CONFIG_NEEDS_SSH', 'UserKnownHostsFile="/a b"'],
  ['CONFIG_INVALID', 'Port'],
  ['CONFIG_INVALID', 'Port='],
  ['CONFIG_INVALID', '=22'],
  ['CONFIG_INVALID', ''],
  ['CONFIG_INVALID', 'Port=0'],
  ['CONFIG_INVALID', 'Port=99999'],
  ['CONFIG_INVALID', 'Port=-1'],
  ['CONFIG_INVALID', 'NumberOfPasswordPrompts=-1'],
  ['CONFIG_INVALID', 'ServerAliveInterval=soon'],
  ['CONFIG_INVALID', 'Compression=maybe'],
  ['CONFIG_INVALID', 'StrictHostKeyChecking=perhaps'],
  ['CONFIG_INVALID', 'AddressFamily=inet7'],
  ['CONFIG_INVALID', 'SetEnv=A'],
  ['CONFIG_INVALID', 'SetEnv=A=1 B'],
];

t.test('options that only ssh understands, and those that nobody does', async (t) => {
  const { withoutSsh } = await createBench(t);
  for (const [code, option] of refused) {
    await t.rejects(withoutSsh('host', { configFile: 'none', options: [option] }), { code }, `-o ${option}`);
  }
});

t.test('-J beside an option of the same sort is refused, as ssh does', async (t) => {
  const { withoutSsh } = await createBench(t);
  for (const option of ['ProxyJump=a', 'ProxyCommand=b']) {
    const typed = { configFile: 'none', proxyJump: 'j', options: [option] };
    await t.rejects(withoutSsh('host', typed), { code: 'CONFIG_INVALID', message: /-J/ }, option);
  }
});

t.test('a user name with shell characters is refused without ssh too', async (t) => {
  const { withoutSsh } = await createBench(t);
  await t.rejects(withoutSsh('host', { configFile: 'none', options: ['User=a;b'] }), { code: 'DESTINATION_INVALID' });
  await t.rejects(withoutSsh('host', { configFile: 'none', user: 'a$b' }), { code: 'DESTINATION_INVALID' });
});
