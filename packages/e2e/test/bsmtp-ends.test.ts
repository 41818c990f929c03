import { once } from 'node:events';
import { readFile } from 'node:fs/promises';
import { createServer } from 'node:net';
import { join } from 'node:path';
import { text } from 'node:stream/consumers';
import { missingForExim, startExim, startSshd, waitUntil } from '@viassh/testing';
import { onBothTransports, onTransport, skipWithoutSshd } from './both-transports.ts';
import { at, startViassh, viassh } from './run-viassh.ts';

const batch = 'MAIL FROM:<me@here>\nRCPT TO:<you@there>\nDATA\nhello\n.\n';

/** An SMTP server for the far end's shell; for the verbs that are named it says nothing, and stays. */
function server(...silentFor: readonly string[]): string {
  const silent = silentFor.map((verb) => `${verb}*) exec sleep 1000;;`).join(' ');
  return [
    `end=$(printf '.\\r')`,
    `printf '220 far ESMTP\\r\\n'`,
    `while read -r line; do case $line in ${silent}`,
    `DATA*) printf '354 go\\r\\n'; while read -r line && [ "$line" != "$end" ]; do :; done; printf '250 queued\\r\\n';;`,
    `QUIT*) printf '221 bye\\r\\n'; exit;;`,
    `*) printf '250 ok\\r\\n';; esac; done`,
  ].join('\n');
}

onBothTransports('a batch that the far end accepts ends with 0, and says nothing', async (t, transport) => {
  await using sshd = await startSshd();
  const { code, stdout, stderr } = await viassh(['smtp', ...at(sshd, transport), '--bsmtp', '--command', server()], {
    input: batch,
  });
  t.strictSame({ code, stdout: stdout.toString(), stderr }, { code: 0, stdout: '', stderr: '' });
});

onBothTransports('a port of the far end takes a batch; nothing listens there: 75', async (t, transport) => {
  await using sshd = await startSshd();
  const listener = createServer().listen(0, '127.0.0.1');
  await once(listener, 'listening');
  const { port } = listener.address() as { port: number };
  const args = ['smtp', ...at(sshd, transport), '--bsmtp', '--to', `127.0.0.1:${port}`];
  listener.once('connection', (socket) => {
    socket.on('error', () => undefined).write('554 5.7.1 not from you\r\n');
  });
  const refused = await viassh(args, { input: batch });
  t.equal(refused.code, 69, refused.stderr);
  t.match(refused.stdout.toString(), /^<you@there>: not sent: [^\n]*554 5\.7\.1 not from you\n$/);
  listener.close();
  await once(listener, 'close');
  const { code, stdout } = await viassh(args, { input: batch });
  t.equal(code, 75);
  t.match(stdout.toString(), /^<you@there>: not sent: [^\n]+\n$/);
});

for (const signal of ['SIGTERM', 'SIGINT', 'SIGHUP'] as const) {
  onTransport('openssh', `${signal} before the message is accepted ends it with 75`, async (t, transport) => {
    await using sshd = await startSshd();
    await using running = startViassh(['smtp', '-v', ...at(sshd, transport), '--bsmtp', '--command', server('MAIL')]);
    running.stdin.end(batch);
    await waitUntil('MAIL to be sent', () => running.stderr().includes('> MAIL'));
    running.kill(signal);
    t.strictSame(await running.exit, { code: 75, signal: null }, running.stderr());
  });
}

onTransport('ssh2', 'SIGTERM while the batch is read, and while it connects, ends it with 75', async (t, transport) => {
  await using sshd = await startSshd();
  await using reading = startViassh(['smtp', '-v', ...at(sshd, transport), '--bsmtp', '--command', server()]);
  reading.stdin.write(batch);
  await waitUntil('the signals to be watched', () => reading.stderr().includes('reading the batch'));
  reading.kill('SIGTERM');
  t.strictSame(await reading.exit, { code: 75, signal: null });
  const silent = createServer().listen(0, '127.0.0.1');
  await once(silent, 'listening');
  const { port } = silent.address() as { port: number };
  const connected = once(silent, 'connection');
  await using connecting = startViassh([
    'smtp',
    ...at(sshd, transport),
    '-o',
    `Port=${port}`,
    '-o',
    'HostName=127.0.0.1',
    '-o',
    'ProxyCommand=none',
    '--bsmtp',
  ]);
  connecting.stdin.end(batch);
  const [socket] = (await connected) as [{ destroy(): void }];
  connecting.kill('SIGTERM');
  t.strictSame(await connecting.exit, { code: 75, signal: null }, connecting.stderr());
  socket.destroy();
  silent.close();
});

onBothTransports('SIGTERM behind the acceptance changes nothing: 0', async (t, transport) => {
  await using sshd = await startSshd();
  await using running = startViassh(['smtp', '-v', ...at(sshd, transport), '--bsmtp', '--command', server('QUIT')]);
  running.stdin.end(batch);
  await waitUntil('the acceptance', () => running.stderr().includes('message 1 of 1: accepted'));
  running.kill('SIGTERM');
  t.strictSame(await running.exit, { code: 0, signal: null }, running.stderr());
});

onTransport('ssh2', 'a second signal does not wait for the answer to the message: 75', async (t, transport) => {
  await using sshd = await startSshd();
  const mute = server().replace("printf '250 queued\\r\\n'", 'echo taken >&2; exec sleep 1000');
  await using running = startViassh(['smtp', '-v', ...at(sshd, transport), '--bsmtp', '--command', mute]);
  running.stdin.end(batch);
  await waitUntil('the message to be there', () => running.stderr().includes('far end: taken'));
  const report = text(running.stdout);
  running.kill('SIGTERM');
  running.kill('SIGINT'); // another one: two of a kind may be one
  t.strictSame(await running.exit, { code: 75, signal: null }, running.stderr());
  t.equal(await report, '', 'no report: that is for those who wait');
});

onBothTransports('the server dies in the middle: 75, and the report says it', async (t, transport) => {
  await using sshd = await startSshd();
  await using running = startViassh(['smtp', '-v', ...at(sshd, transport), '--bsmtp', '--command', server('RCPT')]);
  running.stdin.end(batch);
  await waitUntil('RCPT to be sent', () => running.stderr().includes('> RCPT'));
  const report = text(running.stdout);
  await sshd.kill();
  t.strictSame(await running.exit, { code: 75, signal: null }, running.stderr());
  t.match(await report, /^<you@there>: not sent: /);
});

onBothTransports(
  'a server that says nothing any more, at whatever command: 75, and it is not waited for',
  async (t, transport) => {
    await using sshd = await startSshd();
    for (const verb of ['EHLO', 'MAIL', 'RCPT', 'DATA']) {
      const args = ['smtp', ...at(sshd, transport), '--bsmtp', '--answer-timeout', '0.5', '--command', server(verb)];
      const { code, stdout } = await viassh(args, { input: batch });
      t.equal(code, 75, verb);
      t.match(
        stdout.toString(),
        new RegExp(`^<you@there>: not sent: the SMTP server did not answer ${verb}[^\n]* within 0.5 s\\n$`),
      );
    }
    const args = [
      'smtp',
      ...at(sshd, transport),
      '--bsmtp',
      '--greeting-timeout',
      '0.5',
      '--command',
      'exec sleep 1000',
    ];
    const { code, stdout } = await viassh(args, { input: batch });
    t.equal(code, 75);
    t.match(stdout.toString(), /^<you@there>: not sent: [^\n]*no SMTP greeting within 0\.5 s\n$/);
  },
);

onBothTransports('a host key that is not known: 75, and --json says it on stdout', async (t, transport) => {
  await using sshd = await startSshd({ knownHosts: 'empty' });
  const { code, stdout } = await viassh(['smtp', '--json', ...at(sshd, transport), '--bsmtp'], { input: batch });
  t.equal(code, 75);
  t.match(JSON.parse(stdout.toString()), {
    exitCode: 75,
    error: { code: 'HOST_KEY_UNKNOWN' },
    messages: [{ outcome: 'temporary', recipients: [{ address: 'you@there' }] }],
  });
});

onBothTransports('a command that is not there: 75, with what the shell said of it', async (t, transport) => {
  await using sshd = await startSshd();
  const { code, stdout } = await viassh(['smtp', ...at(sshd, transport), '--bsmtp', '--', '/no/such/sendmail', '-bs'], {
    input: batch,
  });
  t.equal(code, 75);
  t.match(stdout.toString(), /^<you@there>: not sent: [^\n]*\/no\/such\/sendmail/);
});

onTransport('ssh2', 'half a batch: 65, and nobody is dialled; a mistake in the call: 64', async (t, transport) => {
  await using sshd = await startSshd();
  const half = await viassh(['smtp', ...at(sshd, transport), '--bsmtp'], { input: batch.slice(0, -2) });
  t.match({ code: half.code, stderr: half.stderr }, { code: 65, stderr: /BSMTP_INVALID/ });
  t.equal(await sshd.log(), '', 'no sshd was started');
  t.equal(
    (await viassh(['smtp', ...at(sshd, transport), '--bsmtp', '--bare-newlines', 'x'], { input: batch })).code,
    64,
  );
  t.equal((await viassh(['smtp', '-bad-', '--bsmtp'], { input: batch })).code, 64);
});

onTransport(
  'ssh2',
  'a real exim puts off or refuses one of several: sent to nobody, and each is told why; its content: 65 or 75',
  async (t, transport) => {
    await using sshd = await startSshd();
    await using far = await startExim();
    const args = ['smtp', ...at(sshd, transport), '--bsmtp', '--to', `127.0.0.1:${far.port}`];
    const withheld = /^<you@far\.example>: not sent, since another recipient was not accepted .*\n/;
    for (const [code, input, said] of [
      [75, mailTo(['you', 'later']), /\n<later@far\.example>: 451 not now\n$/],
      [67, mailTo(['you', 'refused']), /\n<refused@far\.example>: 550 no such mailbox\n$/],
      [75, mailTo(['you', 'refused', 'later']), /\n<refused@\S+: 550 .*\n<later@\S+: 451 .*\n$/],
    ] as const) {
      const run = await viassh(args, { input });
      t.equal(run.code, code, run.stderr);
      t.match(run.stdout.toString(), withheld);
      t.match(run.stdout.toString(), said);
    }
    for (const [code, fate, said] of [
      [75, 'later', /^<you@far\.example>: 451 not now\n$/],
      [65, 'refused', /^<you@far\.example>: 550 this content is not wanted\n$/],
    ] as const) {
      const run = await viassh(args, { input: mailTo(['you'], fate) });
      t.equal(run.code, code, run.stderr);
      t.match(run.stdout.toString(), said);
    }
    t.strictSame([await far.arrived(), await far.queue()], [[], []], 'nothing of all that was taken');
    const rest = join(sshd.folder, 'rest');
    const three = mailTo(['you']) + mailTo(['later']) + mailTo(['refused']);
    const some = await viassh([...args, '--rest', rest], { input: three });
    t.equal(some.code, 75, some.stderr);
    t.strictSame((await readFile(rest, 'utf8')).match(/(?<=^RCPT TO:<)\w+/gm), ['later', 'refused']);
    const both = await viassh(args, { input: mailTo(['one', 'two']) });
    t.equal(both.code, 0, both.stdout.toString());
    const arrived = async (): Promise<string[]> =>
      (await far.arrived()).flatMap(({ to }) => to.split(/, */)).toSorted();
    await waitUntil('all to arrive', async () => (await arrived()).length >= 3);
    t.strictSame(await arrived(), ['one@far.example', 'two@far.example', 'you@far.example']);
  },
  skipWithoutSshd || ((await missingForExim()) ?? false),
);

/** One mail in a batch; exim takes its header for what to answer. */
function mailTo(names: readonly string[], fate = 'none'): string {
  const recipients = names.map((name) => `RCPT TO:<${name}@far.example>\n`).join('');
  return `MAIL FROM:<me@here.example>\n${recipients}DATA\nX-Fate: ${fate}\n\nhello\n.\n`;
}
