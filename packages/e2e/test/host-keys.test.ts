import { readFile } from 'node:fs/promises';
import { startSshd } from '@viassh/testing';
import { assertFailure } from './assert-failure.ts';
import { onBothTransports } from './both-transports.ts';
import { at, viassh } from './run-viassh.ts';

onBothTransports('an unknown host key is refused with its fingerprint and how to add it', async (t, transport) => {
  for (const strictness of ['yes', 'ask']) {
    await using sshd = await startSshd({ knownHosts: 'empty', clientConfig: [`StrictHostKeyChecking ${strictness}`] });
    const outcome = await viassh(['pipe', ...at(sshd, transport), '--', 'echo no'], { input: 'yes\n' });
    assertFailure(t, outcome, { error: 'HOST_KEY_UNKNOWN', hint: /ssh-keyscan .*known_hosts/ }, strictness);
    t.ok(outcome.stderr.includes(`ssh-ed25519 ${sshd.hostKeyFingerprint}`), 'the fingerprint');
    t.equal(await readFile(sshd.knownHostsFile, 'utf8'), '', 'nothing is written');
  }
});

onBothTransports('a changed host key is refused with the new fingerprint and the file', async (t, transport) => {
  for (const strictness of ['accept-new', 'ask']) {
    await using sshd = await startSshd({
      knownHosts: 'changed',
      clientConfig: [`StrictHostKeyChecking ${strictness}`],
    });
    const outcome = await viassh(['pipe', ...at(sshd, transport), '--', 'echo no']);
    assertFailure(t, outcome, { error: 'HOST_KEY_CHANGED', says: /known_hosts/, hint: /ssh-keygen -R/ }, strictness);
    t.ok(outcome.stderr.includes(sshd.hostKeyFingerprint), 'the fingerprint');
  }
});

onBothTransports('a revoked host key is refused, whatever StrictHostKeyChecking says', async (t, transport) => {
  await using sshd = await startSshd({ knownHosts: 'revoked' });
  const outcome = await viassh(['pipe', ...at(sshd, transport), '--', 'echo no']);
  assertFailure(t, outcome, { error: 'HOST_KEY_REVOKED', says: /revoked/ });
  t.ok(outcome.stderr.includes(sshd.hostKeyFingerprint), 'the fingerprint');
});

onBothTransports('known_hosts that cannot be read is said, with its name', async (t, transport) => {
  await using sshd = await startSshd({ knownHosts: 'unreadable' });
  const outcome = await viassh(['pipe', ...at(sshd, transport), '--', 'echo no']);
  assertFailure(t, outcome, { error: 'KNOWN_HOSTS_UNREADABLE' });
  t.ok(outcome.stderr.includes(sshd.knownHostsFile), 'the file');
});

onBothTransports('accept-new writes the key once, and the next strict login goes through', async (t, transport) => {
  await using sshd = await startSshd({ knownHosts: 'empty', clientConfig: ['StrictHostKeyChecking accept-new'] });
  const first = await viassh(['pipe', ...at(sshd, transport), '--', 'echo in']);
  t.strictSame({ code: first.code, stdout: first.stdout.toString() }, { code: 0, stdout: 'in\n' });
  const written = await readFile(sshd.knownHostsFile, 'utf8');
  t.match(written, /ssh-ed25519 \S+\n$/);
  const second = await viassh(['pipe', '-o', 'StrictHostKeyChecking=yes', ...at(sshd, transport), '--', 'echo in']);
  t.strictSame({ code: second.code, stderr: second.stderr }, { code: 0, stderr: '' });
  t.equal(await readFile(sshd.knownHostsFile, 'utf8'), written);
});
