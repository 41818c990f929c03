import { execFileSync, spawnSync } from 'node:child_process';
import { mkdtempSync, rmSync, writeFileSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import ssh2 from 'ssh2';
import t from 'tap';
import { type Ed25519Key, generateEd25519Key } from '../src/ed25519-key.ts';

const hasKeygen = spawnSync('ssh-keygen', ['-?']).error === undefined;

/** A key whose public half begins with a zero byte: one in 256. */
function generateAwkwardKey(): Ed25519Key {
  for (;;) {
    const key = generateEd25519Key('awkward');
    if (key.publicBlob.at(19) === 0) return key; // RFC 4251 §5: 4 + 11 bytes of the name, 4 of the length
  }
}

t.test('ssh2 reads every key, and what it signs is verified', async (t) => {
  for (const key of [...Array.from({ length: 16 }, () => generateEd25519Key('a comment')), generateAwkwardKey()]) {
    const pair = ssh2.utils.parseKey(key.privateKey);
    const own = ssh2.utils.parseKey(key.publicLine);
    if (pair instanceof Error || own instanceof Error) throw new Error('not read');
    t.ok(pair.getPublicSSH().equals(key.publicBlob));
    t.ok(own.verify('text', pair.sign('text')));
  }
});

t.test('ssh-keygen reads every key', { skip: !hasKeygen && 'ssh-keygen is not installed' }, async (t) => {
  const folder = mkdtempSync(join(tmpdir(), 'viassh-test-'));
  t.teardown(() => rmSync(folder, { recursive: true }));
  for (const [index, key] of [
    generateEd25519Key('a comment'),
    generateEd25519Key(''),
    generateAwkwardKey(),
  ].entries()) {
    const file = join(folder, String(index));
    writeFileSync(file, key.privateKey, { mode: 0o600 });
    t.equal(execFileSync('ssh-keygen', ['-y', '-f', file], { encoding: 'utf8' }).trim(), key.publicLine.trim());
  }
});
