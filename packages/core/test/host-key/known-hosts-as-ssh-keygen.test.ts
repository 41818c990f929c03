import { spawnSync } from 'node:child_process';
import { readFile, writeFile } from 'node:fs/promises';
import { join } from 'node:path';
import t from 'tap';
import { formatKnownHostsLine, lookUpHostKey, parseHostKey, parseKnownHosts } from '@viassh/core';
import { isMissing } from '../find-program.ts';
import { scratchFolder } from '../scratch-folder.ts';

const skip = isMissing('ssh-keygen');
const names = [
  'host',
  'HOST',
  'host2',
  'xhost',
  'a.example.org',
  'evil.example.org',
  'example.org',
  'two',
  '::1',
  'fe80::1%eth0',
  '192.0.2.1',
  '[host]:2222',
  '[host]:22',
  '[::1]:2222',
  'h',
  'under_score',
  'many1',
  'last',
  'hashed',
  '[hashed]:2222',
  'crlf',
  'bare',
];

/** A real public key, `TYPE BASE64`: ssh-keygen looks closer at keys than at names. */
async function makePublicKey(folder: string, type: string): Promise<string> {
  const file = join(folder, `key-${type}`);
  spawnSync('ssh-keygen', ['-q', '-t', type, '-N', '', '-C', '', '-f', file]);
  return (await readFile(`${file}.pub`, 'utf8')).trim();
}

/** The numbers of the lines that ssh-keygen finds for a name. */
function linesFound(name: string, file: string): number[] {
  const { stdout } = spawnSync('ssh-keygen', ['-F', name, '-f', file], { encoding: 'utf8' });
  return [...stdout.matchAll(/^# Host .* found: line (\d+)/gm)].map((match) => Number(match[1]));
}

t.test('a name finds the lines that ssh-keygen -F finds', { skip }, async (t) => {
  const folder = await scratchFolder(t);
  const file = join(folder, 'known_hosts');
  const key = await makePublicKey(folder, 'ed25519');
  const ecdsa = await makePublicKey(folder, 'ecdsa');
  const base64 = key.split(' ')[1] ?? '';
  // Lines with an unreadable key are not here: ssh-keygen -F shows them, ssh and viassh pass them over.
  const lines = [
    `host ${key}`,
    `# host ${key}`,
    '',
    `HOST,two,::1 ${ecdsa} with a comment`,
    ` \thost2\t${key}`,
    `*.example.org,!evil.example.org ${key}`,
    `!evil.example.org,*.example.org ${ecdsa}`,
    `!xhost ${key}`,
    `h?st ${key}`,
    `[host]:2222,[::1]:2222 ${key}`,
    `[host]:* ${key}`,
    `192.0.2.* ${key}`,
    `fe80::1%eth0 ${key}`,
    `under_score ${key}`,
    `@revoked host ${ecdsa}`,
    `@revoked * ${ecdsa}`,
    `@cert-authority *.example.org ${key}`,
    `@unknown host ${key}`,
    `host`,
    `host ssh-ed25519`,
    `many* ${key}`,
    formatKnownHostsLine('hashed', parseHostKey(Buffer.from(base64, 'base64')), { hashed: true }).trim(),
    formatKnownHostsLine('[hashed]:2222', parseHostKey(Buffer.from(base64, 'base64')), { hashed: true }).trim(),
    `crlf ${key} comment\r`,
    `bare ${key}\r`,
    `last ${key}`,
  ];
  await writeFile(file, lines.join('\n'));
  const entries = parseKnownHosts(await readFile(file, 'utf8'), file);
  for (const name of names) {
    const ours = entries.filter((entry) => entry.matches(name.toLowerCase())).map(({ line }) => line);
    t.same(ours, linesFound(name.toLowerCase(), file), name);
  }
});

t.test('a file that ssh-keygen -H hashed is read', { skip }, async (t) => {
  const folder = await scratchFolder(t);
  const file = join(folder, 'known_hosts');
  const key = await makePublicKey(folder, 'ed25519');
  const hosts = ['plain', '[with-port]:2222', '192.0.2.1', '::1', 'UPPER'];
  await writeFile(file, hosts.map((host) => `${host} ${key}\n`).join(''));
  t.equal(spawnSync('ssh-keygen', ['-H', '-f', file]).status, 0);
  const text = await readFile(file, 'utf8');
  t.notMatch(text, /plain|192/);
  const entries = parseKnownHosts(text, file);
  const presented = parseHostKey(Buffer.from(key.split(' ')[1] ?? '', 'base64'));
  for (const host of hosts) t.equal(lookUpHostKey(entries, host, presented).kind, 'known', host);
  t.equal(lookUpHostKey(entries, 'with-port', presented).kind, 'unknown');
  t.equal(lookUpHostKey(entries, 'other', presented).kind, 'unknown');
});
