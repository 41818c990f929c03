import { writeFile } from 'node:fs/promises';
import { join } from 'node:path';
import { createOpensshConfigSource } from '@viassh/config-openssh';
import { parseDestination, resolveRoute } from '@viassh/core';
import { createProgramRunner } from '@viassh/program';
import t from 'tap';
import { keyOfRoute } from '../../src/broker/lease-key.ts';

/** The keys of calls, by a configuration for the hosts `a` and `b` of one address. */
async function keys(
  lines: string,
  calls: readonly {
    readonly host: string;
    readonly variables?: NodeJS.ProcessEnv;
    readonly options?: readonly string[];
  }[],
): Promise<number> {
  const configFile = join(t.testdir(), 'ssh_config');
  await writeFile(configFile, `Host a b\n  HostName 127.0.0.1\n  ${lines}\n`);
  const programs = createProgramRunner();
  const found = calls.map(async ({ host, variables = {}, options }) => {
    const source = createOpensshConfigSource({ programs, environment: { home: '/home/u', user: 'u', variables } });
    return await keyOfRoute(
      await resolveRoute(source, parseDestination(host), { configFile, options }),
      'openssh',
      variables,
    );
  });
  return new Set(await Promise.all(found)).size;
}

const names = [{ host: 'a' }, { host: 'b' }];

t.test('two names of one place are one login', async (t) => {
  t.equal(await keys('User u', names), 1);
});

t.test('two names are two logins where a setting makes something of the name', async (t) => {
  for (const lines of [
    'ProxyCommand dial %n',
    'ProxyCommand dial %k',
    'CertificateFile ~/.ssh/%n-cert.pub',
    'IdentityFile ~/%n',
  ])
    t.equal(await keys(lines, names), 2, lines);
});

t.test('another value of a variable that a setting names is another login', async (t) => {
  const calls = ['one', 'two'].map((value) => ({ host: 'a', variables: { WHO: value, OTHER: value } }));
  for (const lines of ['CertificateFile ${WHO}', 'ProxyCommand dial --as $WHO', 'IdentityFile ${WHO}'])
    t.equal(await keys(lines, calls), 2, lines);
  t.equal(await keys('User u', calls), 1, 'one that nothing names');
});

t.test("another user's Kerberos tickets are another login, where they are used", async (t) => {
  const calls = ['/tmp/one', '/tmp/two'].map((KRB5CCNAME) => ({ host: 'a', variables: { KRB5CCNAME } }));
  t.equal(await keys('GSSAPIAuthentication yes', calls), 2);
  t.equal(await keys('GSSAPIAuthentication no', calls), 1);
});

t.test('what programs add to a call for the session alone makes no other login', async (t) => {
  const calls = [
    undefined,
    ['BatchMode=yes'], // fetchmail's recipe, and Debian's keepalive with it
    ['SendEnv=GIT_PROTOCOL'],
    ['ClearAllForwardings=yes', 'PermitLocalCommand=no', 'RemoteCommand=none', 'RequestTTY=no'], // scp
    ['user u'],
    ['loglevel=ERROR'],
  ].map((options) => ({ host: 'a', options, variables: { GIT_PROTOCOL: 'version=2' } }));
  t.equal(await keys('User u', calls), 1);
  for (const option of ['Compression=yes', 'ServerAliveInterval=300', 'IdentitiesOnly=yes', 'HostKeyAlias=other'])
    t.equal(await keys('User u', [{ host: 'a' }, { host: 'a', options: [option] }]), 2, option);
});
