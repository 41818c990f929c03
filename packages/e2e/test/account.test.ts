import { readFile } from 'node:fs/promises';
import { join } from 'node:path';
import { authorizedKeysLine } from '@viassh/core';
import { startSshd } from '@viassh/testing';
import { onBothTransports, tidyTest } from './both-transports.ts';
import { viassh } from './run-viassh.ts';

tidyTest('the list of accounts, as a table and as data', async (t) => {
  const { accounts } = JSON.parse((await viassh(['account', '--json'])).stdout.toString()) as {
    accounts: readonly { program: string; summary: string }[];
  };
  const programs = accounts.map(({ program }) => program);
  t.ok(programs.includes('git'));
  t.equal(new Set(programs).size, programs.length, 'each once');
  const table = (await viassh(['account'])).stdout.toString().trimEnd().split('\n');
  t.strictSame(
    table.map((line) => line.split(/ +/, 1)[0]),
    programs,
  );
  await using sshd = await startSshd();
  for (const program of programs) {
    const { code, stdout, stderr } = await viassh(['account', program, `${sshd.identityFile}.pub`]);
    t.equal(code, 0, stderr);
    const lines = stdout.toString().trimEnd().split('\n');
    t.match(lines.at(-1), /^restrict,no-.* ssh-ed25519 /, program);
    for (const line of lines.slice(0, -1)) t.match(line, /^# /, 'all else is a comment');
  }
});

tidyTest('a line for each key, from files and stdin; the same as data', async (t) => {
  await using sshd = await startSshd();
  const [one, two] = [await sshd.generateKey(), await sshd.generateKey({ type: 'rsa' })];
  const both = await viassh(['account', 'git', `${one.file}.pub`, '-'], { input: `# mine\n${two.publicKey}\n` });
  const lines = both.stdout
    .toString()
    .split('\n')
    .filter((line) => !/^(?:#|$)/.test(line));
  t.strictSame(
    lines.map((line) => [one, two].findIndex(({ publicKey }) => line.endsWith(` ${publicKey}`))),
    [0, 1],
  );
  const json = JSON.parse((await viassh(['account', '--json', 'git', `${one.file}.pub`])).stdout.toString()) as object;
  t.match(json, { authorizedKeys: [lines[0]], sshdConfig: [/AcceptEnv/], notes: [/./] });
  const none = (await viassh(['account', 'git'])).stdout.toString().trimEnd().split('\n');
  for (const line of none) t.match(line, /^# /, 'without a key nothing that sshd would read');
  t.match(none.at(-1), /^# restrict,.* ssh-ed25519 AAAA/);
  const noneAsData = JSON.parse((await viassh(['account', '--json', 'git'])).stdout.toString()) as object;
  t.match(noneAsData, { authorizedKeys: { length: 0 }, example: /^restrict,.* ssh-ed25519 AAAA/ });
});

tidyTest('the options of a program’s account: in its help, in effect, and refused elsewhere', async (t) => {
  await using sshd = await startSshd();
  const key = `${sshd.identityFile}.pub`;
  t.match((await viassh(['account', 'git', '--help'])).stdout.toString(), /--read-only +clone/);
  t.notMatch((await viassh(['account', '--help'])).stdout.toString(), /--read-only/);
  const [all, reading] = [await viassh(['account', 'git', key]), await viassh(['account', 'git', '--read-only', key])];
  t.equal(reading.code, 0, reading.stderr);
  t.not(reading.stdout.toString(), all.stdout.toString());
  const unknown = await viassh(['account', 'git', '--no-such', key]);
  t.match(unknown.stderr, /no-such.*\n {2}hint: /);
  t.equal(unknown.code, 64);
});

tidyTest('keys behind --, and what rrsync is', async (t) => {
  await using sshd = await startSshd();
  const { code, stdout } = await viassh(['account', 'git', '--', `${sshd.identityFile}.pub`]);
  t.equal(code, 0);
  t.match(stdout.toString(), /^restrict,.* ssh-ed25519 /m);
  const help = await viassh(['rrsync', '--help']);
  t.match(help.stdout.toString(), /^viassh rrsync .* DIR/);
  t.strictSame({ code: help.code, stderr: help.stderr }, { code: 0, stderr: '' });
});

tidyTest('a private key, or what is no key: refused with a hint, and never shown', async (t) => {
  await using sshd = await startSshd();
  const secret = (await readFile(sshd.identityFile, 'utf8')).split('\n')[2] ?? '';
  t.ok(secret.length > 30);
  for (const [args, input] of [
    [['account', 'git', sshd.identityFile], ''],
    [['account', 'git', '-v', '-'], await readFile(sshd.identityFile, 'utf8')],
    [['account', 'git', join(sshd.folder, 'none')], ''],
    [['account', 'git', '-'], ''],
    [['account', 'git', '-'], 'ssh-ed25519 AAAA'],
    [['account', 'telnet'], ''],
    [['account', 'rsync', '--read-only', '--write-only'], ''],
    [['account', 'rsync', '--checker', 'other'], ''],
    [['account', 'rsync', '--directory='], ''],
  ] as const) {
    const { code, stdout, stderr } = await viassh(args, { input });
    t.equal(code, 64, stderr);
    t.equal(stdout.length, 0);
    t.match(stderr, /^viassh: .*\n {2}hint: /);
    t.notOk(stderr.includes(secret));
  }
});

onBothTransports(
  'sshd runs a forced command with both quotes and backslashes as it was meant',
  async (t, transport) => {
    await using sshd = await startSshd();
    const { file, publicKey } = await sshd.generateKey();
    const command = String.raw`printf '%s|' "it's" 'say "yes"' "\"" '\n' "$SSH_ORIGINAL_COMMAND" # a \" and a \'`;
    await sshd.authorize(authorizedKeysLine({ command, options: ['environment="X=1"'] }, publicKey));
    const args = ['-F', sshd.configFile, '--transport', transport, '-i', file, '-o', 'IdentitiesOnly=yes'];
    const { code, stdout, stderr } = await viassh(['pipe', ...args, sshd.destination, '--', 'rm -rf "x"']);
    t.equal(code, 0, stderr);
    t.equal(stdout.toString(), String.raw`it's|say "yes"|"|\n|rm -rf "x"|`);
    const tty = await viassh(['pipe', '-t', ...args, sshd.destination]);
    t.not(tty.code, 0);
    t.match(tty.stderr, /REQUEST_REFUSED|PTY allocation request failed/);
  },
);
