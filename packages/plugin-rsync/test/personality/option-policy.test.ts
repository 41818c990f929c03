import { spawnSync } from 'node:child_process';
import { existsSync, readFileSync } from 'node:fs';
import { gunzipSync } from 'node:zlib';
import { type ErrorCode, isViasshError } from '@viassh/core';
import t from 'tap';
import { optionPolicy, permittedOption, readSetting } from '../../src/personality/option-policy.ts';

const known = new Set(optionPolicy.map(({ keyword }) => keyword.toLowerCase()));
const manual = ['/usr/share/man/man5/ssh_config.5.gz', '/usr/share/man/man5/ssh_config.5'].find(existsSync);

/** What becomes of `-o TEXT`. */
function judge(text: string, mayRun = false): string {
  try {
    const { keyword, value } = permittedOption(readSetting(text), mayRun);
    return `${keyword}=${value}`;
  } catch (error) {
    if (!isViasshError(error)) throw error;
    return error.code satisfies ErrorCode;
  }
}

t.test(
  'every keyword of ssh_config(5) has a row',
  { skip: manual === undefined && 'no manual of ssh here' },
  async (t) => {
    const packed = readFileSync(manual ?? '');
    const text = (manual?.endsWith('.gz') === true ? gunzipSync(packed) : packed).toString();
    const settings = text.slice(0, text.indexOf('.Sh PATTERNS'));
    const keywords = [...settings.matchAll(/^\.It Cm (\w+)/gm)].map(([, keyword = '']) => keyword);
    t.ok(keywords.length > 90, `${keywords.length}`);
    t.strictSame(
      keywords.filter((keyword) => !known.has(keyword.toLowerCase())),
      [],
    );
  },
);

const asked = spawnSync('ssh', ['-T', '-F', 'none', '-G', 'host'], { encoding: 'utf8' });
t.test('every keyword that ssh -G prints has a row', { skip: asked.status !== 0 && 'no ssh here' }, async (t) => {
  const keywords = asked.stdout.split('\n').flatMap((line) => /^\w+/.exec(line)?.[0].toLowerCase() ?? []);
  t.ok(keywords.length > 50);
  t.strictSame(
    keywords.filter((keyword) => !known.has(keyword)),
    [],
  );
});

t.test('every row is a keyword of ssh, once, and says why', async (t) => {
  t.equal(known.size, optionPolicy.length);
  for (const { keyword, why } of optionPolicy) t.ok(/^\w+$/.test(keyword) && why.length > 10, keyword);
});

t.test('what runs a program or loads a library here is refused, however it is written', async (t) => {
  for (const text of [
    'ProxyCommand=touch x',
    'proxycommand touch x',
    'PROXYCOMMAND = "touch x"',
    '\tProxyCommand\ttouch x',
    'ProxyCommand=none; touch x',
    'ProxyCommand=-',
    'LocalCommand=touch x',
    'PermitLocalCommand=yes',
    'PermitLocalCommand yes',
    'KnownHostsCommand=/bin/x',
    'PKCS11Provider=/x.so',
    'SmartcardDevice=/x.so',
    'SecurityKeyProvider=/x.so',
    'XAuthLocation=/bin/x',
    'Include=/tmp/x',
    'Match=exec "touch x"',
    'Host=*',
  ])
    t.equal(judge(text), 'OPTION_REFUSED', text);
});

t.test('switched off, it is taken; with leave of the user, all of it', async (t) => {
  t.equal(judge('proxycommand none'), 'ProxyCommand=none');
  t.equal(judge('PermitLocalCommand="no"'), 'PermitLocalCommand=no');
  t.equal(judge('KnownHostsCommand=NONE'), 'KnownHostsCommand=none');
  t.equal(judge('PKCS11Provider=none'), 'PKCS11Provider=none');
  t.equal(judge('ProxyCommand=nc %h %p', true), 'ProxyCommand=nc %h %p');
  t.equal(judge('Match=exec "x"', true), 'Match=exec "x"');
});

t.test('unknown ones are refused by name, also with leave', async (t) => {
  for (const text of ['NoSuchOption=1', 'ProxyCommandX=1', 'toString=1', '__proto__=1']) {
    t.match(judge(text), /^OPTION_(REFUSED|INVALID)$/, text);
    t.match(judge(text, true), /^OPTION_(REFUSED|INVALID)$/, text);
  }
  t.throws(() => permittedOption(readSetting('UseKeychain=yes'), false), /UseKeychain/);
});

t.test('what ssh would read in another way than it looks is refused', async (t) => {
  for (const text of [
    '',
    'Key',
    'Port=',
    '=x',
    '#ProxyCommand=x',
    '"ProxyCommand" touch x',
    '"ProxyCommand"=x',
    'StrictHostKeyChecking=no\nProxyCommand=x',
    '\nProxyCommand=x',
    '\fProxyCommand=x',
    'Port\r=22',
    'Port=22\u0000',
  ])
    t.equal(judge(text), 'OPTION_INVALID', JSON.stringify(text));
});

t.test('what scp, sftp, git, ansible and borg give is taken', async (t) => {
  for (const text of [
    'PermitLocalCommand=no',
    'ClearAllForwardings=yes',
    'RemoteCommand=none',
    'RequestTTY=no',
    'ForwardAgent=no',
    'ForwardX11 no',
    'Protocol 2',
    'SendEnv=GIT_PROTOCOL',
    'ControlMaster=auto',
    'ControlPersist=60s',
    'ControlPath="/root/.ansible/cp/a b"',
    'StrictHostKeyChecking=no',
    'KbdInteractiveAuthentication=no',
    'PreferredAuthentications=gssapi-with-mic,gssapi-keyex,hostbased,publickey',
    'PasswordAuthentication=no',
    'User="deploy"',
    'ConnectTimeout=10',
    'BatchMode=yes',
    'ServerAliveInterval 10',
    'UserKnownHostsFile=/dev/null',
  ]) {
    const { keyword, value } = readSetting(text);
    t.equal(judge(text), `${keyword}=${value}`);
  }
});
