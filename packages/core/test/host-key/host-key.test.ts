import { spawnSync } from 'node:child_process';
import { readFile } from 'node:fs/promises';
import { join } from 'node:path';
import t from 'tap';
import { describeHostKey, fingerprint, parseHostKey } from '@viassh/core';
import { isMissing } from '../find-program.ts';
import { scratchFolder } from '../scratch-folder.ts';
import { makeKey } from './make-key.ts';

t.test('type and fingerprint are those that ssh-keygen shows', { skip: isMissing('ssh-keygen') }, async (t) => {
  const folder = await scratchFolder(t);
  for (const type of ['ed25519', 'ecdsa', 'rsa']) {
    const file = join(folder, type);
    t.equal(spawnSync('ssh-keygen', ['-q', '-t', type, '-N', '', '-f', file]).status, 0, type);
    const [name, base64 = ''] = (await readFile(`${file}.pub`, 'utf8')).split(' ');
    const key = parseHostKey(Buffer.from(base64, 'base64'));
    t.equal(key.type, name);
    const shown = spawnSync('ssh-keygen', ['-l', '-f', `${file}.pub`], { encoding: 'utf8' }).stdout;
    t.equal(fingerprint(key.blob), shown.split(' ')[1]);
    t.equal(describeHostKey(key), `${name} ${fingerprint(key.blob)}`);
  }
});

t.test('the fingerprint has no padding', async (t) => {
  t.match(fingerprint(makeKey('a').blob), /^SHA256:[A-Za-z0-9+/]{43}$/);
});

t.test('bytes that are no key are refused, however short', async (t) => {
  const blob = makeKey('a').blob;
  for (const bytes of [[], [0], [0, 0, 0], [0, 0, 0, 0], [0, 0, 0, 9, 1], [255, 255, 255, 255, 1, 2, 3, 4]]) {
    t.throws(() => parseHostKey(Buffer.from(bytes)), RangeError, `[${bytes.join()}]`);
  }
  t.throws(() => parseHostKey(blob.subarray(0, 8)), RangeError);
});
