import { execFileSync } from 'node:child_process';
import { readFile } from 'node:fs/promises';
import { join } from 'node:path';
import { Readable } from 'node:stream';
import t from 'tap';
import { readPublicKeys } from '../../src/commands/read-public-keys.ts';

const folder = t.testdir();
const file = join(folder, 'key');
execFileSync('ssh-keygen', ['-q', '-t', 'ed25519', '-N', '', '-C', 'a b', '-f', file]);
const line = (await readFile(`${file}.pub`, 'utf8')).trim();
const [type = '', base64 = ''] = line.split(' ');

const read = (text: string): Promise<readonly string[]> => readPublicKeys(['-'], Readable.from([text]));

t.test('files and stdin, one line a key', async (t) => {
  t.strictSame(await readPublicKeys([`${file}.pub`], Readable.from([])), [line]);
  t.strictSame(await readPublicKeys([`${file}.pub`, '-'], Readable.from([`# mine\n\n${line}\r\n${line}`])), [
    line,
    line,
    line,
  ]);
});

t.test('a private key is refused, and nothing of it shown', async (t) => {
  const secret = await readFile(file, 'utf8');
  const failure = (await readPublicKeys([file], Readable.from([])).catch((error: unknown) => error)) as Error;
  t.match(failure, { code: 'OPTION_INVALID', message: /private key/, hint: /ssh-keygen -y/ });
  for (const word of secret.split(/\s+/).filter((word) => word.length > 12 && !word.includes('PRIVATE')))
    t.notOk(`${failure.message}${(failure as { hint?: string }).hint}`.includes(word));
  await t.rejects(read(secret), { code: 'OPTION_INVALID', message: /private key/ });
  await t.rejects(read(`${line}\n${secret}`), { code: 'OPTION_INVALID', message: /private key/ });
});

t.test('what sshd would not take is refused', async (t) => {
  for (const [text, message] of [
    ['', /empty/],
    ['# nothing\n', /empty/],
    ['hello', /type of key/],
    [`command="x" ${line}`, /type of key/],
    [`ssh-dss ${base64}`, /type of key/],
    [`ssh-ed25519-cert-v01@openssh.com ${base64}`, /certificate/],
    [`ssh-rsa ${base64}`, /damaged/],
    [`${type} ${base64.slice(0, -4)}`, /damaged/],
    [`${type} ${base64.slice(0, 20)}`, /damaged/],
    [type, /damaged/],
    [`${line}\u001b[2J`, /control character/],
    ['---- BEGIN SSH2 PUBLIC KEY ----\nx', /RFC 4716/],
  ] as const)
    await t.rejects(read(text), { code: 'OPTION_INVALID', message, hint: /./ }, text);
  await t.rejects(readPublicKeys([join(folder, 'none')], Readable.from([])), {
    code: 'OPTION_INVALID',
    message: /ENOENT/,
  });
});
