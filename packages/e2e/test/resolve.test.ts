import { startSshd } from '@viassh/testing';
import { onBothTransports, tidyTest } from './both-transports.ts';
import { at, viassh } from './run-viassh.ts';

onBothTransports('resolve tells what would be used, as text and as JSON, and dials nobody', async (t, transport) => {
  await using sshd = await startSshd({ mode: 'listen' });
  const json = await viassh(['resolve', '--json', ...at(sshd, transport)]);
  t.strictSame({ code: json.code, stderr: json.stderr }, { code: 0, stderr: '' });
  t.match(JSON.parse(json.stdout.toString()) as object, {
    host: '127.0.0.1',
    user: sshd.user,
    port: sshd.port,
    identityFiles: [sshd.identityFile],
    knownHosts: [sshd.knownHostsFile, '/dev/null'],
    strictHostKeyChecking: 'yes',
    transport,
    why: /./,
  });
  const text = await viassh(['resolve', ...at(sshd, transport)]);
  t.equal(text.code, 0);
  t.match(text.stdout.toString(), new RegExp(`^host +127\\.0\\.0\\.1\nuser +${sshd.user}\nport +${sshd.port}\n`));
  t.match(text.stdout.toString(), new RegExp(`^transport +${transport}\nwhy +\\S`, 'm'));
  t.notMatch(await sshd.log(), /Connection from/);
});

tidyTest('resolve shows the hops of a chain', async (t) => {
  await using sshd = await startSshd({ mode: 'listen' });
  const { stdout, code } = await viassh(['resolve', '--json', '-F', sshd.configFile, '-J', 'me@t,u@gate:2222', 'far']);
  t.equal(code, 0);
  t.match(JSON.parse(stdout.toString()) as object, { host: 'far', via: [`me@127.0.0.1:${sshd.port}`, 'u@gate:2222'] });
});

tidyTest(
  'plugins lists what is installed and what each needs',
  async (t) => {
    const json = await viassh(['plugins', '--json']);
    t.match(JSON.parse(json.stdout.toString()) as object, {
      plugins: [{ name: 'imap', summary: /IMAP/, needs: ['exec'] }],
      transports: [{ name: 'openssh' }, { name: 'ssh2', usable: true }],
    });
    const text = await viassh(['plugins']);
    t.match(text.stdout.toString(), /^imap +.*\n[^]*^ssh2 +ok/m);
  },
  false,
);
