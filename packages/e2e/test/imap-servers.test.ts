import { once } from 'node:events';
import { chmod, stat, writeFile } from 'node:fs/promises';
import { type AddressInfo, createServer } from 'node:net';
import { join } from 'node:path';
import { createMailbox, makeScratchFolder, missingForDovecot, missingForSshd, startSshd } from '@viassh/testing';
import { onBothTransports, onTransport } from './both-transports.ts';
import { at, viassh } from './run-viassh.ts';

const skip = (await missingForSshd()) ?? (await missingForDovecot()) ?? false;
const folder = '/usr/lib/dovecot';
const skipWithout = async (program: string): Promise<string | false> =>
  skip ||
  (await stat(join(folder, program)).then(
    () => false as const,
    () => `no ${folder}/${program}`,
  ));

onBothTransports(
  'without --command the server that is there is run, nothing is said of it but with -v',
  async (t, transport) => {
    await using bin = await makeScratchFolder();
    await chmod(bin.path, 0o755);
    await using sshd = await startSshd({ config: [`SetEnv PATH=${bin.path}:/usr/bin:/bin`] });
    const { command } = await createMailbox(sshd);
    const imapd = join(bin.path, 'imapd');
    await writeFile(imapd, `#!/bin/sh\nexec ${command}\n`);
    await chmod(imapd, 0o755);
    const input = 'a SELECT INBOX\r\nb LOGOUT\r\n';
    const quiet = await viassh(['imap', ...at(sshd, transport)], { input });
    t.match(
      { ...quiet, stdout: quiet.stdout.toString() },
      { code: 0, stderr: '', stdout: /^\* PREAUTH .*\* 3 EXISTS/s },
    );
    const { stderr } = await viassh(['imap', '-v', ...at(sshd, transport)], { input });
    t.ok(stderr.includes(`far end: found ${imapd}\n`), stderr);
    t.match(stderr, /greeting: \* PREAUTH /);
    t.match(stderr, /capabilities: IMAP4rev1 .*IDLE/);
  },
  skip,
);

onTransport(
  'openssh',
  `Dovecot's own place is looked into, and its configuration decides`,
  async (t, transport) => {
    await using sshd = await startSshd();
    const { stderr } = await viassh(['imap', '-v', ...at(sshd, transport)], { input: 'a LOGOUT\r\n' });
    t.match(stderr, /far end: found \/usr\/lib(?:exec)?\/dovecot\/imap\n/);
  },
  skip,
);

onTransport('ssh2', 'no server there is 127, with what can be done', async (t, transport) => {
  await using sshd = await startSshd();
  const args = ['imap', ...at(sshd, transport), '--protocol', 'pop3', '--command', 'viassh-popserver'];
  const { code, stdout, stderr } = await viassh(args);
  t.strictSame({ code, stdout: stdout.length }, { code: 127, stdout: 0 });
  t.match(
    stderr,
    /^viassh: the POP3 server 'viassh-popserver' was not found.* \(IMAP_NO_GREETING\)\n {2}hint: .*dovecot\/pop3/,
  );
  const json = await viassh([...args, '--json']);
  t.equal(json.code, 127);
  t.match(JSON.parse(json.stderr), { error: { code: 'IMAP_NO_GREETING', message: /was not found/ } });
});

onBothTransports(
  'options of ssh and a redirection behind --, as mail programs have them',
  async (t, transport) => {
    await using sshd = await startSshd();
    const { command } = await createMailbox(sshd);
    const words = `${command} 2>/dev/null`.split(' ');
    const { code, stdout, stderr } = await viassh(['imap', '-x', '-C', '-v', ...at(sshd, transport), '--', ...words], {
      input: 'a SELECT INBOX\r\nb LOGOUT\r\n',
    });
    t.equal(code, 0);
    t.match(stdout.toString(), /\* 3 EXISTS/);
    t.notMatch(stderr, /far end: /, 'its stderr stays there');
  },
  skip,
);

onBothTransports(
  'POP3 of a command: Dovecot serves the mailbox',
  async (t, transport) => {
    await using sshd = await startSshd();
    const mailbox = await createMailbox(sshd);
    const command = mailbox.command.replace(`${folder}/imap `, `${folder}/pop3 `);
    const args = ['imap', ...at(sshd, transport), '--protocol', 'pop3', '--command', command];
    const { code, stdout, stderr } = await viassh(args, { input: 'STAT\r\nRETR 1\r\nQUIT\r\n' });
    t.strictSame({ code, stderr }, { code: 0, stderr: '' });
    t.match(stdout.toString(), /^\+OK\r\n\+OK 3 \d+\r\n/);
    t.ok(stdout.includes(mailbox.messages[0]?.messageId ?? 'none'));
  },
  await skipWithout('pop3'),
);

onBothTransports(
  'ManageSieve of a command: its capabilities are the greeting, and a script can be put there',
  async (t, transport) => {
    await using sshd = await startSshd();
    const command = (await createMailbox(sshd)).command.replace(`${folder}/imap `, `${folder}/managesieve `);
    const args = ['imap', ...at(sshd, transport), '--protocol', 'sieve', '--command', command];
    const { code, stdout, stderr } = await viassh(args, {
      input: 'PUTSCRIPT "one" {5+}\r\nkeep;\r\nLISTSCRIPTS\r\nLOGOUT\r\n',
    });
    t.strictSame({ code, stderr }, { code: 0, stderr: '' });
    t.match(stdout.toString(), /^"IMPLEMENTATION" .*\r\nOK "Capability completed\."\r\nOK [^\r]*\r\n"one"\r\nOK /s);
  },
  await skipWithout('managesieve'),
);

onBothTransports(
  '--to reaches a port of the far end; a mail server that asks for a login is welcome there',
  async (t, transport) => {
    await using sshd = await startSshd();
    const server = createServer((client) => {
      client.on('error', () => undefined).write('* OK [CAPABILITY IMAP4rev1 AUTH=PLAIN] ready\r\n');
      client.once('data', () => client.end('* BYE\r\na OK\r\n'));
    });
    await once(server.listen(0, '127.0.0.1'), 'listening');
    const { port } = server.address() as AddressInfo;
    const { code, stdout, stderr } = await viassh(['imap', ...at(sshd, transport), '--to', `127.0.0.1:${port}`], {
      input: 'a LOGOUT\r\n',
    });
    t.strictSame(
      { code, stdout: stdout.toString(), stderr },
      { code: 0, stdout: '* OK [CAPABILITY IMAP4rev1 AUTH=PLAIN] ready\r\n* BYE\r\na OK\r\n', stderr: '' },
    );
    server.close();
    await once(server, 'close');
    const closed = await viassh(['imap', ...at(sshd, transport), '--to', `127.0.0.1:${port}`]);
    t.match(closed, { code: 255, stderr: /CHANNEL_REFUSED/ });
  },
);
