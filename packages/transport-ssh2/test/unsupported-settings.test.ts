import { randomBytes } from 'node:crypto';
import { once } from 'node:events';
import { copyFile, mkdir, readFile, writeFile } from 'node:fs/promises';
import { type AddressInfo, createServer } from 'node:net';
import { join } from 'node:path';
import { startSshd } from '@viassh/testing';
import t from 'tap';
import { connectBy, connectTo, failureOf, routeBy } from './connect-to.ts';

t.test('settings that cannot be honoured are refused by name, before anything is dialled', async (t) => {
  let dialled = 0;
  const server = createServer((socket) => {
    dialled += 1;
    socket.destroy();
  }).listen(0, '127.0.0.1');
  t.teardown(() => server.close());
  await once(server, 'listening');
  const { port } = server.address() as AddressInfo;
  const base = { configFile: 'none', port };
  for (const option of [
    'CertificateFile=/nowhere-cert.pub',
    'PKCS11Provider=/usr/lib/nothing.so',
    'SecurityKeyProvider=/usr/lib/nothing.so',
    'KnownHostsCommand=/bin/true',
    'VerifyHostKeyDNS=yes',
    'RevokedHostKeys=/etc/revoked',
    'HostbasedAuthentication=yes',
    'BindInterface=lo',
    'Ciphers=aes128-cbc,MACs=umac-64@openssh.com',
  ]) {
    const options = option.split(',');
    const name = (options.at(-1) ?? '').split('=')[0] ?? '';
    const error = await failureOf(connectBy(await routeBy({ ...base, options }, 'nobody@127.0.0.1')));
    t.equal(error.code, 'SETTING_UNSUPPORTED', option);
    t.ok(error.message.includes(name), error.message);
    t.match(error.hint, /--transport openssh/);
  }
  const fdpass = await failureOf(
    connectBy(await routeBy({ ...base, options: ['ProxyUseFdpass=yes', 'ProxyCommand=false'] }, 'nobody@127.0.0.1')),
  );
  t.match(fdpass, { code: 'SETTING_UNSUPPORTED', message: /ProxyUseFdpass/ });
  t.equal(dialled, 0);
});

t.test('settings that only some versions of ssh know', async (t) => {
  const { hops } = await routeBy({ configFile: 'none', port: 1 }, 'nobody@127.0.0.1');
  const [hop] = hops;
  for (const [name, value] of [
    ['GSSAPIKeyExchange', 'yes'],
    ['RefuseConnection', 'not today'],
  ] as const) {
    const raw = new Map([...hop.raw, [name.toLowerCase(), [value]]]);
    t.match(await failureOf(connectBy({ hops: [{ ...hop, raw }] })), {
      code: 'SETTING_UNSUPPORTED',
      message: new RegExp(name),
    });
  }
});

t.test('keys and certificates that need another transport', async (t) => {
  await using sshd = await startSshd();
  const security = join(sshd.folder, 'id_hardware');
  await writeFile(security, securityKeyFile(), { mode: 0o600 });

  await t.test('a security key that is named is refused by its name', async (t) => {
    const error = await failureOf(connectTo(sshd, { options: [`IdentityFile=${security}`] }));
    t.match(error, {
      code: 'SETTING_UNSUPPORTED',
      message: /sk-ssh-ed25519@openssh\.com/,
      hint: /--transport openssh/,
    });
    t.ok(error.message.includes(`IdentityFile ${security}`));
    t.equal(await sshd.log(), '', 'nothing was dialled');
    await using connection = await connectTo(sshd, { options: ['SecurityKeyProvider=internal'] });
    t.equal(connection.info.authenticatedBy, 'publickey');
  });
  await t.test('one in a place of its own kind is passed over beside others, and refused alone', async (t) => {
    const place = join(sshd.folder, '.ssh');
    await mkdir(place);
    const usual = join(place, 'id_ed25519_sk');
    await copyFile(security, usual);
    await using connection = await connectTo(sshd, { options: [`IdentityFile=${usual}`] });
    t.equal(connection.info.authenticatedBy, 'publickey');
    const { hops } = await routeBy({ configFile: sshd.configFile });
    const alone = failureOf(connectBy({ hops: [{ ...hops[0], identityFiles: [usual] }] }));
    t.equal((await alone).code, 'SETTING_UNSUPPORTED');
    const withAgent = { ...hops[0], identityFiles: [usual], identitiesOnly: false };
    t.equal((await failureOf(connectBy({ hops: [withAgent] }))).code, 'AUTH_FAILED', 'an agent may hold another');
  });
  await t.test('a user certificate beside a key is told of when the key alone is not taken', async (t) => {
    await using strict = await startSshd({ authorize: false });
    await writeFile(`${strict.identityFile}-cert.pub`, 'ssh-ed25519-cert-v01@openssh.com AAAA');
    const { code, message } = await failureOf(connectTo(strict));
    t.equal(code, 'AUTH_FAILED');
    t.ok(message.includes(`${strict.identityFile}-cert.pub: certificates need --transport openssh`), message);
  });
  await t.test(
    'a host that is known by a certificate alone is not dialled, whatever StrictHostKeyChecking',
    async (t) => {
      await using certified = await startSshd();
      const good = await readFile(certified.knownHostsFile, 'utf8');
      const authority = `@cert-authority ${good}`;
      await writeFile(certified.knownHostsFile, authority);
      for (const strict of ['yes', 'accept-new', 'no']) {
        const error = await failureOf(connectTo(certified, { options: [`StrictHostKeyChecking=${strict}`] }));
        t.match(error, {
          code: 'SETTING_UNSUPPORTED',
          message: /@cert-authority for viassh-test-server at .*known_hosts:1/,
        });
      }
      t.equal(await certified.log(), '', 'nothing was dialled');
      await writeFile(certified.knownHostsFile, authority + good);
      await using connection = await connectTo(certified);
      t.equal(connection.info.state, 'up');
    },
  );
});

t.test('Include and Match exec have been read by ssh itself', async (t) => {
  await using sshd = await startSshd();
  const flag = join(sshd.folder, 'flag');
  const configFile = join(sshd.folder, 'including');
  const match = `Match originalhost t exec "test -e ${flag}"\n  Compression yes\n`;
  await writeFile(configFile, `${match}Host *\n  Include ${sshd.configFile}\n`);
  const compression = async (): Promise<string | undefined> => {
    await using connection = await connectBy(await routeBy({ configFile }));
    return connection.info.compression;
  };
  t.equal(await compression(), 'none');
  await writeFile(flag, '');
  t.equal(await compression(), 'zlib@openssh.com');
});

/** A private key file of a security key, as ssh-keygen writes them without a device at hand: its halves are random. */
function securityKeyFile(): string {
  const blob = Buffer.concat([string('sk-ssh-ed25519@openssh.com'), string(randomBytes(32)), string('ssh:')]);
  const head = Buffer.concat([Buffer.from('openssh-key-v1\0'), string('none'), string('none'), string('')]);
  const body = Buffer.concat([head, Buffer.from([0, 0, 0, 1]), string(blob), string(randomBytes(136))]);
  return `-----BEGIN OPENSSH PRIVATE KEY-----\n${body.toString('base64')}\n-----END OPENSSH PRIVATE KEY-----\n`;
}

t.test('settings that only take a way of logging in away are no error', async (t) => {
  const options = [
    'GSSAPIAuthentication=yes',
    'ProxyUseFdpass=yes',
    'ConnectTimeout=5',
    'UserKnownHostsFile=/dev/null',
  ];
  const error = await failureOf(connectBy(await routeBy({ configFile: 'none', port: 1, options }, 'nobody@127.0.0.1')));
  t.equal(error.code, 'CONNECTION_REFUSED');
});

/** RFC 4251 §5. */
function string(value: string | Buffer): Buffer {
  const bytes = Buffer.from(value);
  const length = Buffer.alloc(4);
  length.writeUInt32BE(bytes.length);
  return Buffer.concat([length, bytes]);
}
