import { generateKeyPairSync } from 'node:crypto';
import { writeFile } from 'node:fs/promises';
import { join } from 'node:path';
import { createProgramRunner } from '@viassh/program';
import { generateKey, makeScratchFolder } from '@viassh/testing';
import t from 'tap';
import { parsePrivateKey, readKeyFile } from '../../src/auth/key-file.ts';

const scratch = await makeScratchFolder();
t.teardown(() => scratch[Symbol.asyncDispose]());

t.test('the public half of an encrypted key is told without its passphrase', async (t) => {
  const { file, publicKey } = await generateKey(join(scratch.path, 'encrypted'), 'ed25519', 'secret');
  await createProgramRunner().run({ file: 'rm', args: [`${file}.pub`] });
  const read = await readKeyFile(file);
  t.equal(read.encrypted, true);
  t.equal(read.publicKey?.blob.toString('base64'), publicKey.split(' ')[1]);
  t.equal(parsePrivateKey(read.text ?? '', 'wrong'), undefined);
  t.equal(parsePrivateKey(read.text ?? '', 'secret')?.isPrivateKey(), true);
});

t.test('PEM and PKCS#8, plain and encrypted, give the key that ssh-keygen made', async (t) => {
  for (const type of ['rsa', 'ecdsa'] as const) {
    for (const format of ['PEM', 'PKCS8'] as const) {
      for (const passphrase of ['', 'secret']) {
        const { file, publicKey } = await generateKey(
          join(scratch.path, `${type}-${format}-${passphrase}`),
          type,
          passphrase,
        );
        await createProgramRunner().run({
          file: 'ssh-keygen',
          args: ['-q', '-p', '-m', format, '-P', passphrase, '-N', passphrase, '-f', file],
        });
        const read = await readKeyFile(file);
        const key = parsePrivateKey(read.text ?? '', passphrase === '' ? undefined : passphrase);
        t.equal(key?.getPublicSSH().toString('base64'), publicKey.split(' ')[1], `${type} ${format} '${passphrase}'`);
        t.equal(read.publicKey?.blob.toString('base64'), publicKey.split(' ')[1]);
        t.equal(read.encrypted, passphrase !== '');
        t.equal(read.problem, undefined);
      }
    }
  }
});

t.test('what is no key is named as such, and what is not there is not', async (t) => {
  const file = join(scratch.path, 'letter');
  await writeFile(file, 'Dear Sir or Madam', { mode: 0o600 });
  t.match(await readKeyFile(file), { problem: /not a private key/, publicKey: undefined });
  t.match(await readKeyFile(scratch.path), { problem: /./, publicKey: undefined });
  t.strictSame(await readKeyFile(join(scratch.path, 'nothing')), {
    file: join(scratch.path, 'nothing'),
    publicKey: undefined,
    encrypted: false,
  });
});

t.test('a key in a format that hides its public half, and no .pub, is named', async (t) => {
  const file = join(scratch.path, 'hidden');
  const { privateKey } = generateKeyPairSync('rsa', {
    modulusLength: 2048,
    privateKeyEncoding: { type: 'pkcs8', format: 'pem', cipher: 'aes-256-cbc', passphrase: 'x' },
    publicKeyEncoding: { type: 'spki', format: 'pem' },
  });
  await writeFile(file, privateKey, { mode: 0o600 });
  t.match(await readKeyFile(file), { problem: /\.pub/ });
});
