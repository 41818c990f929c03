import { readFile, writeFile } from 'node:fs/promises';
import { join } from 'node:path';
import { makeScratchFolder, startSshd } from '@viassh/testing';
import { onBothTransports, tidyTest } from './both-transports.ts';
import { at, viassh } from './run-viassh.ts';

onBothTransports('resolve tells what would be used, as text and as JSON, and dials nobody', async (t, transport) => {
  await using sshd = await startSshd({ mode: 'listen' });
  const json = await viassh(['resolve', '--json', ...at(sshd, transport)]);
  t.strictSame({ code: json.code, stderr: json.stderr }, { code: 0, stderr: '' });
  t.match(JSON.parse(json.stdout.toString()) as object, {
    host: '127.0.0.1',
    user: sshd.user,
    port: sshd.port,
    identityFiles: [sshd.identityFile],
    knownHosts: [sshd.knownHostsFile, '/dev/null'],
    strictHostKeyChecking: 'yes',
    transport,
    why: /./,
  });
  const text = await viassh(['resolve', ...at(sshd, transport)]);
  t.equal(text.code, 0);
  t.match(text.stdout.toString(), new RegExp(`^host +127\\.0\\.0\\.1\nuser +${sshd.user}\nport +${sshd.port}\n`));
  t.match(text.stdout.toString(), new RegExp(`^transport +${transport}\nwhy +\\S`, 'm'));
  t.notMatch(await sshd.log(), /Connection from/);
});

tidyTest('resolve shows the hops of a chain', async (t) => {
  await using sshd = await startSshd({ mode: 'listen' });
  const { stdout, code } = await viassh(['resolve', '--json', '-F', sshd.configFile, '-J', 'me@t,u@gate:2222', 'far']);
  t.equal(code, 0);
  t.match(JSON.parse(stdout.toString()) as object, { host: 'far', via: [`me@127.0.0.1:${sshd.port}`, 'u@gate:2222'] });
});

tidyTest(
  'plugins lists what is installed and what each needs',
  async (t) => {
    const json = await viassh(['plugins', '--json']);
    t.match(JSON.parse(json.stdout.toString()) as object, {
      plugins: [
        { name: 'imap', summary: /IMAP/, needs: ['exec'] },
        { name: 'smtp' },
        {
          name: 'forward',
          mayNeed: ['direct-tcpip', 'direct-streamlocal', 'forwarded-tcpip', 'forwarded-streamlocal'],
        },
      ],
      transports: [{ name: 'openssh' }, { name: 'ssh2', usable: true }],
    });
    const text = await viassh(['plugins']);
    t.match(text.stdout.toString(), /^imap +.*\n[^]*^forward +.*may need direct-tcpip[^]*^ssh2 +ok/m);
  },
  false,
);

tidyTest('resolve -v tells of every hop: Match exec, a certificate, two jump hosts, a proxy', async (t) => {
  await using folder = await makeScratchFolder();
  const file = (name: string): string => join(folder.path, name);
  await writeFile(
    file('config'),
    [
      `Match originalhost far exec "echo asked >>'${file('asked')}'"`,
      '  HostName far.example.org',
      `  CertificateFile ${file('far-cert.pub')}`,
      `  IdentityFile ${file('far')}`,
      '  ProxyJump first,ann@second:2200',
      '  ForwardAgent yes',
      'Host first',
      '  HostKeyAlias the-first',
      `  IdentityFile ${file('first')}`,
      'Host second',
      '  ServerAliveInterval 15',
      '  KnownHostsCommand /bin/echo %H',
    ].join('\n'),
  );
  const args = ['resolve', '-v', '-F', file('config'), '-l', 'me'];
  const env = { VIASSH_PROXY: 'socks5://me:hunter2@gate' };
  const { code, stdout, stderr } = await viassh([...args, '--json', 'far'], { env });
  t.equal(code, 0, stderr);
  const answer = JSON.parse(stdout.toString()) as { hops: { certificateFiles: string[] }[] };
  t.match(answer, {
    host: 'far.example.org',
    proxy: 'socks5://me@gate:1080',
    agentForwarding: true,
    why: /./,
    hops: [
      { typed: 'first', knownAs: 'the-first', identityFiles: [file('first')], agentForwarding: false },
      { address: 'ann@second:2200', knownHostsCommand: ['/bin/echo %H'], serverAlive: '15 s, 3 times' },
      { address: 'me@far.example.org:22', identityFiles: [file('far')], certificateFiles: [file('far-cert.pub')] },
    ],
  });
  t.strictSame([answer.hops.length, answer.hops[0]?.certificateFiles], [3, []]);
  t.match(await readFile(file('asked'), 'utf8'), 'asked');
  const text = await viassh([...args, '--proxy', 'none', 'far'], { env });
  t.match(text.stdout.toString(), /^hop 3 of 3\n {2}address +me@far\.example\.org:22\n/m);
  t.notMatch(text.stdout.toString(), /gate|hunter2/);
  t.notMatch((await viassh(args.filter((word) => word !== '-v').concat('far'))).stdout.toString(), /^hop /m);
});
