import { userInfo } from 'node:os';
import t from 'tap';
import type { ResolvedDestination, TypedOptions } from '@viassh/core';
import { createBench } from './bench.ts';
import { sshIsMissing } from './local-programs.ts';

/** Fields that both know without a list of algorithms or default keys of one ssh version. */
const fields = [
  ...([
    'hostName',
    'user',
    'port',
    'hostKeyAlias',
    'addressFamily',
    'bindAddress',
    'proxyJump',
    'proxyCommand',
    'identitiesOnly',
  ] as const),
  ...([
    'identityAgent',
    'userKnownHostsFiles',
    'globalKnownHostsFiles',
    'strictHostKeyChecking',
    'hashKnownHosts',
  ] as const),
  ...([
    'preferredAuthentications',
    'pubkeyAuthentication',
    'passwordAuthentication',
    'kbdInteractiveAuthentication',
  ] as const),
  ...(['numberOfPasswordPrompts', 'serverAliveCountMax', 'connectTimeout', 'compression', 'sessionEnv'] as const),
] satisfies readonly (keyof ResolvedDestination)[];

type Field =
  | (typeof fields)[number]
  | 'identityFiles'
  | 'batchMode'
  | 'serverAliveInterval'
  | 'ciphers'
  | 'macs'
  | 'kexAlgorithms'
  | 'hostKeyAlgorithms';

function pick(resolved: ResolvedDestination, more: readonly Field[]): Record<string, unknown> {
  return Object.fromEntries([...fields, ...more].map((field) => [field, resolved[field]]));
}

const [file, file2] = ['/etc/passwd', '/etc/hosts']; // ssh passes over an -i that is not there
const cases: readonly [name: string, destination: string, typed: TypedOptions, more?: readonly Field[]][] = [
  ['nothing', 'host', {}],
  ['capitals', 'HOST', {}],
  ['user and port of the destination', 'u@host:2222', {}],
  ['an address', '[fe80::1%lo]:2222', {}],
  ['-l and -p beside the destination’s', 'u@host:2222', { user: 'typed', port: 3 }],
  ['-o User and Port beside -l and -p', 'u@host:2222', { user: 'typed', port: 3, options: ['User=option', 'Port=4'] }],
  ['the first of two options', 'host', { options: ['Port=1', 'Port=2', 'User=a', 'User=b'] }],
  ['a port with zeros', 'host', { options: ['Port=0022'] }],
  ['-4 beside AddressFamily', 'host', { addressFamily: 'inet', options: ['AddressFamily=inet6'] }],
  ['AddressFamily in capitals', 'host', { options: ['AddressFamily=INET6'] }],
  ['-C beside Compression', 'host', { compression: true, options: ['Compression=no'] }],
  ['Compression', 'host', { options: ['Compression=YES'] }],
  ['HostName and HostKeyAlias', 'host', { options: ['HostName=Real.Name', 'HostKeyAlias=Alias'] }],
  ['-J', 'host', { proxyJump: 'a,u@b:2222,[::1]:33' }],
  ['-J none', 'host', { proxyJump: 'none' }],
  ['ProxyJump before ProxyCommand', 'host', { options: ['ProxyJump=a', 'ProxyCommand=b'] }],
  ['ProxyCommand before ProxyJump', 'host', { options: ['ProxyCommand=b %h "x" # y', 'ProxyJump=a'] }],
  ['ProxyJump none before ProxyCommand', 'host', { options: ['ProxyJump=none', 'ProxyCommand=b'] }],
  ['ProxyJump none before ProxyJump', 'host', { options: ['ProxyJump=none', 'ProxyJump=b'] }],
  ['ProxyCommand none before ProxyJump', 'host', { options: ['ProxyCommand=none', 'ProxyJump=a'] }],
  [
    '-i and IdentityFile',
    'host',
    { identityFiles: [file, file2], options: ['IdentityFile=~/a', 'IdentityFile=/b/%h-%p'] },
    ['identityFiles'],
  ],
  ['IdentityFile none', 'host', { options: ['IdentityFile=none'] }, ['identityFiles']],
  ['IdentityAgent none', 'host', { options: ['IdentityAgent=none'] }],
  ['IdentityAgent path', 'host', { options: ['IdentityAgent=~/%h.sock'] }],
  ['known_hosts files', 'host', { options: ['UserKnownHostsFile=~/a /b/%h', 'GlobalKnownHostsFile=/c'] }],
  ['no known_hosts files', 'host', { options: ['UserKnownHostsFile=none', 'GlobalKnownHostsFile=none'] }],
  ...['yes', 'no', 'ask', 'accept-new', 'Accept-New', 'off', 'true', 'false'].map(
    (value): [string, string, TypedOptions] => [
      `StrictHostKeyChecking=${value}`,
      'host',
      { options: [`StrictHostKeyChecking=${value}`] },
    ],
  ),
  ['HashKnownHosts', 'host', { options: ['HashKnownHosts=yes'] }],
  [
    'authentication',
    'host',
    {
      options: [
        'PreferredAuthentications=password,publickey',
        'PubkeyAuthentication=no',
        'PasswordAuthentication=No',
        'KbdInteractiveAuthentication=false',
        'NumberOfPasswordPrompts=1',
        'IdentitiesOnly=yes',
      ],
    },
  ],
  ['BatchMode', 'host', { options: ['BatchMode=True'] }, ['batchMode']],
  ['keepalives', 'host', { options: ['ServerAliveInterval=7', 'ServerAliveCountMax=9'] }, ['serverAliveInterval']],
  ['ConnectTimeout', 'host', { options: ['ConnectTimeout=60'] }],
  ['ConnectTimeout none', 'host', { options: ['ConnectTimeout=none'] }],
  ['BindAddress', 'host', { options: ['BindAddress=192.0.2.1'] }],
  ['SetEnv', 'host', { options: ['SetEnv=A=1 B=x=y', 'SetEnv=C=3'] }],
  [
    'algorithms',
    'host',
    {
      options: [
        'Ciphers=aes128-ctr,aes256-ctr',
        'MACs=hmac-sha2-256',
        'KexAlgorithms=curve25519-sha256',
        'HostKeyAlgorithms=ssh-ed25519',
      ],
    },
    ['ciphers', 'macs', 'kexAlgorithms', 'hostKeyAlgorithms'],
  ],
  ['options with blanks', 'host', { options: ['Port 5', ' User = x ', 'compression=yes '] }],
];

t.test('typed options mean without ssh what they mean to ssh', { skip: sshIsMissing() }, async (t) => {
  const { withSsh, withoutSsh } = await createBench(t);
  for (const [name, destination, options, more = []] of cases) {
    const typed: TypedOptions = { ...options, configFile: 'none' };
    const [ssh, ours] = await Promise.all([
      withSsh(destination, typed),
      withoutSsh(destination, typed, userInfo().homedir),
    ]);
    t.same(pick(ours, more), pick(ssh, more), name);
  }
});

t.test('what is refused without ssh as wrong, ssh refuses', { skip: sshIsMissing() }, async (t) => {
  const { withSsh, withoutSsh } = await createBench(t);
  const wrong = [
    'Port',
    'Port=',
    'Port=0',
    'Port=99999',
    'Port=-1',
    'NumberOfPasswordPrompts=-1',
    'ServerAliveInterval=soon',
    'Compression=maybe',
  ];
  for (const option of [
    ...wrong,
    'StrictHostKeyChecking=perhaps',
    'AddressFamily=inet7',
    'SetEnv=A',
    'SetEnv=A=1 B',
    'HashKnownHosts=off',
    'BatchMode=on',
  ]) {
    const typed = { configFile: 'none', options: [option] };
    await t.rejects(withoutSsh('host', typed), { code: 'CONFIG_INVALID' }, `ours: ${option}`);
    await t.rejects(withSsh('host', typed), { code: 'CONFIG_INVALID' }, `ssh: ${option}`);
  }
});
