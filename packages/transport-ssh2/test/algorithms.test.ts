import { readFile, writeFile } from 'node:fs/promises';
import { isViasshError } from '@viassh/core';
import { startSshd } from '@viassh/testing';
import t from 'tap';
import { chooseAlgorithms, refuseUnsafeNegotiation } from '../src/algorithms.ts';
import { supportedAlgorithms } from '../src/ssh2-private/installed.ts';
import { connectTo, failureOf, output } from './connect-to.ts';

const nothingSet = { hostName: 'h', ciphers: [], macs: [], kexAlgorithms: [], hostKeyAlgorithms: [] };
const supported = supportedAlgorithms();

t.test('AES-GCM is asked for first and chacha20 after what needs no strict kex', async (t) => {
  const ciphers = [
    'chacha20-poly1305@openssh.com',
    'aes256-cbc',
    'aes128-ctr',
    'aes256-ctr',
    'aes128-gcm@openssh.com',
    'aes256-gcm@openssh.com',
  ];
  const chosen = chooseAlgorithms({ ...nothingSet, ciphers }, supported, []);
  t.strictSame(chosen.ciphers, [
    'aes128-gcm@openssh.com',
    'aes256-gcm@openssh.com',
    'aes128-ctr',
    'aes256-ctr',
    'chacha20-poly1305@openssh.com',
    'aes256-cbc',
  ]);
});

t.test('names that ssh2 cannot do are left out', async (t) => {
  const chosen = chooseAlgorithms(
    {
      ...nothingSet,
      kexAlgorithms: ['sntrup761x25519-sha512@openssh.com', 'mlkem768x25519-sha256', 'curve25519-sha256'],
      hostKeyAlgorithms: ['ssh-ed25519-cert-v01@openssh.com', 'sk-ssh-ed25519@openssh.com', 'ssh-ed25519'],
    },
    supported,
    [],
  );
  t.strictSame(chosen.kex, ['curve25519-sha256']);
  t.strictSame(chosen.hostKeys, ['ssh-ed25519']);
});

t.test('a list of which nothing remains is an error that names it and the other transport', async (t) => {
  for (const [field, value, name] of [
    ['ciphers', 'aes-of-tomorrow', 'Ciphers'],
    ['macs', 'umac-128-etm@openssh.com', 'MACs'],
    ['kexAlgorithms', 'mlkem768x25519-sha256', 'KexAlgorithms'],
    ['hostKeyAlgorithms', 'sk-ssh-ed25519@openssh.com', 'HostKeyAlgorithms'],
  ] as const) {
    try {
      chooseAlgorithms({ ...nothingSet, [field]: [value] }, supported, []);
      t.fail(`${name} was accepted`);
    } catch (error) {
      t.ok(isViasshError(error, 'SETTING_UNSUPPORTED') && error.message.includes(`${name} ${value}`), String(error));
      t.match(error, { hint: /--transport openssh/ });
    }
  }
});

t.test('host key types that are known for the name come first; ssh-rsa stands for its SHA-2 signatures', async (t) => {
  const list = ['ssh-ed25519', 'ecdsa-sha2-nistp256', 'rsa-sha2-512', 'rsa-sha2-256'];
  t.strictSame(chooseAlgorithms({ ...nothingSet, hostKeyAlgorithms: list }, supported, ['ssh-rsa']).hostKeys, [
    'rsa-sha2-512',
    'rsa-sha2-256',
    'ssh-ed25519',
    'ecdsa-sha2-nistp256',
  ]);
});

t.test('without a configuration nothing with SHA-1 or CBC is offered', async (t) => {
  const chosen = chooseAlgorithms(nothingSet, supported, []);
  for (const name of Object.values(chosen).flat()) t.notMatch(name, /sha1$|-cbc$|^ssh-rsa$|^ssh-dss$/);
});

t.test('+, - and ^ amend the defaults', async (t) => {
  t.ok(ciphers('+aes128-cbc').includes('aes128-cbc') && ciphers('+aes128-cbc').includes('aes128-ctr'));
  t.notOk(ciphers('-aes128-ctr', 'aes192-ctr').includes('aes128-ctr'));
  t.notOk(ciphers('-aes128-ctr', 'aes192-ctr').includes('aes192-ctr'));
});

t.test('chacha20 and CBC with encrypt-then-MAC are refused without strict kex, in either direction', async (t) => {
  const good = way('aes128-gcm@openssh.com');
  for (const bad of [way('chacha20-poly1305@openssh.com'), way('aes128-cbc', 'hmac-sha2-256-etm@openssh.com')]) {
    t.throws(() => refuseUnsafeNegotiation(nothingSet, { cs: bad, sc: good }, false), { code: 'NEGOTIATION_FAILED' });
    t.throws(() => refuseUnsafeNegotiation(nothingSet, { cs: good, sc: bad }, false), { code: 'NEGOTIATION_FAILED' });
    t.doesNotThrow(() => refuseUnsafeNegotiation(nothingSet, { cs: bad, sc: bad }, true));
  }
  t.doesNotThrow(() =>
    refuseUnsafeNegotiation(nothingSet, { cs: way('aes128-cbc', 'hmac-sha2-256'), sc: good }, false),
  );
});

t.test('a real sshd', async (t) => {
  await t.test('that has nothing but chacha20 is used, because it does strict kex', async (t) => {
    await using sshd = await startSshd({ config: ['Ciphers chacha20-poly1305@openssh.com'] });
    await using connection = await connectTo(sshd);
    t.equal(connection.info.cipher, 'chacha20-poly1305@openssh.com');
    t.equal(await output(connection, 'echo there'), 'there\n');
  });
  await t.test('with all of its ciphers is spoken to in AES-GCM', async (t) => {
    await using sshd = await startSshd();
    await using connection = await connectTo(sshd);
    t.equal(connection.info.cipher, 'aes128-gcm@openssh.com');
    t.match(connection.info, {
      transport: undefined,
      serverVersion: /^SSH-2\.0-OpenSSH_/,
      hostKey: `ssh-ed25519 ${sshd.hostKeyFingerprint}`,
      kex: /^curve25519-/,
      authenticatedBy: 'publickey',
    });
    t.match(connection.info.peer, new RegExp(`^${sshd.user}@127\\.0\\.0\\.1:`));
  });
  await t.test('that shares no cipher: NEGOTIATION_FAILED', async (t) => {
    await using sshd = await startSshd({ config: ['Ciphers aes256-ctr'] });
    const error = await failureOf(connectTo(sshd, { options: ['Ciphers=aes128-ctr'] }));
    t.equal(error.code, 'NEGOTIATION_FAILED');
    t.match(error.message, /cipher/i);
  });
  await t.test('whose RSA key alone is known, though it has a newer one, is known', async (t) => {
    await using sshd = await startSshd({ hostKeyTypes: ['rsa', 'ed25519'] });
    const lines = (await readFile(sshd.knownHostsFile, 'utf8')).split('\n');
    await writeFile(sshd.knownHostsFile, `${lines.find((line) => line.includes('ssh-rsa'))}\n`);
    await using connection = await connectTo(sshd);
    t.match(connection.info.hostKey, /^ssh-rsa /);
  });
  await t.test('that exchanges keys again and again loses no byte', async (t) => {
    await using sshd = await startSshd({ config: ['RekeyLimit 1M'] });
    await using connection = await connectTo(sshd);
    const channel = await connection.openSession({ kind: 'exec', command: 'head -c 8388608 /dev/zero' });
    channel.stderr.resume();
    let bytes = 0;
    for await (const chunk of channel) bytes += (chunk as Buffer).length;
    t.equal(bytes, 8_388_608);
    t.match(await sshd.log(), /rekey/i);
  });
  await t.test('compresses when Compression is set', async (t) => {
    await using sshd = await startSshd();
    await using connection = await connectTo(sshd, { options: ['Compression=yes'] });
    t.equal((await output(connection, 'head -c 1000000 /dev/zero')).length, 1_000_000);
    t.match(await sshd.log(), /compress/i);
  });
});

function ciphers(...list: string[]): readonly string[] {
  return chooseAlgorithms({ ...nothingSet, ciphers: list }, supported, []).ciphers;
}

/** One direction of what was negotiated. */
function way(cipher: string, mac = ''): never {
  return { cipher, mac } as never;
}
