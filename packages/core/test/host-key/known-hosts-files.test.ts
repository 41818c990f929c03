import { chmod, readFile, stat, writeFile } from 'node:fs/promises';
import { userInfo } from 'node:os';
import { join } from 'node:path';
import t from 'tap';
import { createLogger, hostKeyUnknown, type Logger, readKnownHosts, verifyKnownHost } from '@viassh/core';
import { scratchFolder } from '../scratch-folder.ts';
import { keyText, makeKey } from './make-key.ts';

const key = makeKey('right');
const other = makeKey('other');

type Hop = Parameters<typeof verifyKnownHost>[0];

function hopWith(changes: Partial<Hop>): Hop {
  return {
    hostName: 'host',
    port: 22,
    userKnownHostsFiles: [],
    globalKnownHostsFiles: [],
    strictHostKeyChecking: 'ask',
    hashKnownHosts: false,
    ...changes,
  };
}

function recorder(): { readonly log: Logger; readonly said: string[] } {
  const said: string[] = [];
  return { said, log: createLogger('debug', (level, message) => said.push(`${level}: ${message}`)) };
}

async function verify(hop: Hop, presented = key, log = recorder().log): Promise<void> {
  await verifyKnownHost(hop, await readKnownHosts(hop), presented, log);
}

t.test('all files count: user’s and global, those not there are empty', async (t) => {
  const folder = await scratchFolder(t);
  const [first, second, global, missing] = ['first', 'second', 'global', 'missing'].map((name) =>
    join(folder, name),
  ) as [string, string, string, string];
  await writeFile(first, `one ${keyText(key)}\n`);
  await writeFile(second, `two ${keyText(key)}\n`);
  await writeFile(global, `three ${keyText(key)}\n@revoked * ${keyText(other)}\n`);
  const files = {
    userKnownHostsFiles: [missing, first, second, join(first, 'below-a-file'), '/dev/null'],
    globalKnownHostsFiles: [global],
  };
  for (const hostName of ['one', 'two', 'three']) await verify(hopWith({ ...files, hostName }));
  await t.rejects(verify(hopWith({ ...files, hostName: 'one' }), other), {
    code: 'HOST_KEY_REVOKED',
    message: `${global}:2`,
  });
});

t.test('a folder in the place of a file is an error: its @revoked lines would be missed', async (t) => {
  const folder = await scratchFolder(t);
  await t.rejects(readKnownHosts({ userKnownHostsFiles: [], globalKnownHostsFiles: [folder] }), {
    code: 'KNOWN_HOSTS_UNREADABLE',
    message: folder,
    hint: /UserKnownHostsFile/,
  });
});

// Root may read every file: nothing to see then.
if (userInfo().uid !== 0) {
  t.test('a file without permission is an error', async (t) => {
    const file = join(await scratchFolder(t), 'known_hosts');
    await writeFile(file, '');
    await chmod(file, 0);
    const files = { userKnownHostsFiles: [file], globalKnownHostsFiles: [] };
    await t.rejects(readKnownHosts(files), { code: 'KNOWN_HOSTS_UNREADABLE' });
  });
}

t.test('yes and ask take known keys only and write nothing', async (t) => {
  const file = join(await scratchFolder(t), 'known_hosts');
  await writeFile(file, `other ${keyText(key)}\n`);
  for (const strictHostKeyChecking of ['yes', 'ask'] as const) {
    const { log, said } = recorder();
    const hop = hopWith({ userKnownHostsFiles: [file], strictHostKeyChecking });
    await t.rejects(verify(hop, key, log), {
      code: 'HOST_KEY_UNKNOWN',
      message: /^the host key of host is not known: ssh-ed25519 SHA256:/,
      hint: `ssh-keyscan -p 22 host >> ${file}`,
    });
    await t.resolves(verify({ ...hop, hostName: 'other' }, key, log));
    t.same(said, []);
  }
  t.equal(await readFile(file, 'utf8'), `other ${keyText(key)}\n`);
});

t.test('accept-new and no write a new key down, say so, and know it from then on', async (t) => {
  for (const strictHostKeyChecking of ['accept-new', 'no'] as const) {
    const file = join(await scratchFolder(t), 'new', 'known_hosts');
    const { log, said } = recorder();
    const hop = hopWith({ hostName: 'host', port: 2222, userKnownHostsFiles: [file], strictHostKeyChecking });
    await verify(hop, key, log);
    t.equal(await readFile(file, 'utf8'), `[host]:2222 ${keyText(key)}\n`);
    t.equal((await stat(file)).mode & 0o777, 0o600);
    t.match(said, [
      new RegExp(
        `^warning: StrictHostKeyChecking=${strictHostKeyChecking}: added ssh-ed25519 SHA256:.* for \\[host\\]:2222 to `,
      ),
    ]);
    await verify({ ...hop, strictHostKeyChecking: 'yes' }, key, log);
    t.equal(said.length, 1);
  }
});

t.test('a changed or revoked key is refused even by StrictHostKeyChecking=no, and nothing is written', async (t) => {
  const file = join(await scratchFolder(t), 'known_hosts');
  const text = `host ${keyText(other)}\n@revoked bad ${keyText(key)}\n`;
  await writeFile(file, text);
  for (const strictHostKeyChecking of ['no', 'accept-new', 'ask', 'yes'] as const) {
    const hop = hopWith({ userKnownHostsFiles: [file], strictHostKeyChecking });
    await t.rejects(verify(hop), { code: 'HOST_KEY_CHANGED', message: `${file}:1`, hint: /ssh-keygen -R 'host'/ });
    await t.rejects(verify({ ...hop, hostName: 'bad' }), { code: 'HOST_KEY_REVOKED', message: `${file}:2` });
  }
  t.equal(await readFile(file, 'utf8'), text);
});

t.test('a new line does not run into a last line without an end', async (t) => {
  const file = join(await scratchFolder(t), 'known_hosts');
  await writeFile(file, `one ${keyText(other)}`);
  const hop = hopWith({ userKnownHostsFiles: [file], strictHostKeyChecking: 'accept-new' });
  await verify(hop);
  await verify({ ...hop, strictHostKeyChecking: 'yes' });
  await verify({ ...hop, hostName: 'one', strictHostKeyChecking: 'yes' }, other);
  t.equal(await readFile(file, 'utf8'), `one ${keyText(other)}\nhost ${keyText(key)}\n`);
});

t.test('HashKnownHosts hides the name that is written', async (t) => {
  const file = join(await scratchFolder(t), 'known_hosts');
  const hop = hopWith({ userKnownHostsFiles: [file], strictHostKeyChecking: 'accept-new', hashKnownHosts: true });
  await verify(hop);
  t.match(await readFile(file, 'utf8'), /^\|1\|[^|]+\|\S+ ssh-ed25519 /);
  await verify({ ...hop, strictHostKeyChecking: 'yes' });
});

t.test('a file that cannot be written does not hide what happened', async (t) => {
  const folder = await scratchFolder(t);
  const file = join(folder, 'a-file');
  await writeFile(file, '');
  const { log, said } = recorder();
  await verify(
    hopWith({ userKnownHostsFiles: [join(file, 'known_hosts')], strictHostKeyChecking: 'accept-new' }),
    key,
    log,
  );
  t.match(said, [/accepted, but could not write \(E\w+\), ssh-ed25519 SHA256:/]);
});

t.test('accept-new without a file to write to refuses', async (t) => {
  await t.rejects(verify(hopWith({ strictHostKeyChecking: 'accept-new' })), { code: 'HOST_KEY_UNKNOWN' });
});

t.test('a key known for the bare name is good on another port, as with ssh', async (t) => {
  const folder = await scratchFolder(t);
  const file = join(folder, 'known_hosts');
  await writeFile(file, `host ${keyText(key)}\n`);
  const hop = hopWith({ port: 2222, userKnownHostsFiles: [file] });
  await verify(hop);
  await t.rejects(verify(hop, other), { code: 'HOST_KEY_UNKNOWN' });
  await t.rejects(verify({ ...hop, hostKeyAlias: 'alias' }), { code: 'HOST_KEY_UNKNOWN' });
  await writeFile(file, `host ${keyText(key)}\n[host]:2222 ${keyText(other)}\n`);
  await t.rejects(verify(hop), { code: 'HOST_KEY_CHANGED' }, 'what is said of the port comes first');
});

t.test('an alias is what is looked up and named', async (t) => {
  const file = join(await scratchFolder(t), 'known_hosts');
  await writeFile(file, `alias ${keyText(key)}\nhost ${keyText(other)}\n`);
  const hop = hopWith({ hostKeyAlias: 'alias', port: 2222, userKnownHostsFiles: [file] });
  await verify(hop);
  await t.rejects(verify(hop, makeKey('third', 'ssh-rsa')), { code: 'HOST_KEY_UNKNOWN', message: /host key of alias/ });
});

t.test('the hint names a file even where none is configured', async (t) => {
  t.match(
    hostKeyUnknown(hopWith({ port: 2222 }), 'ssh-ed25519 SHA256:x').hint,
    /ssh-keyscan -p 2222 host >> ~\/\.ssh\/known_hosts/,
  );
});
