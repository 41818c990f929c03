import { PassThrough } from 'node:stream';
import t from 'tap';
import { smtpPlugin } from '@viassh/plugin-smtp';
import { createMemoryTransport, waitUntil } from '@viassh/testing';
import { runSmtp, serve } from './run-relay.ts';

const ok = { kind: 'status', code: 0 };

t.test('both ways pass byte for byte, and the end of input is the end of what the server gets', async (t) => {
  const port = await serve(t, (client) => {
    client.write('220 hi\r\n');
    client.pipe(client);
  });
  const { exit, stdout } = await runSmtp({ to: `127.0.0.1:${port}` }, { input: 'EHLO a\r\n.\n\0ÿ\r\n' });
  t.strictSame(exit, ok);
  t.equal(stdout, '220 hi\r\nEHLO a\r\n.\n\0\xc3\xbf\r\n');
});

t.test('a server that closes ends the run while the input is still open', async (t) => {
  const port = await serve(t, (client) => client.resume().end('554 go away\r\n'));
  const { exit, stdout } = await runSmtp({ to: `127.0.0.1:${port}` }, { input: new PassThrough() });
  t.strictSame(exit, ok);
  t.equal(stdout, '554 go away\r\n');
});

t.test('a greeting that comes byte by byte passes whole', async (t) => {
  const { exit, stdout } = await runSmtp({
    command: `for byte in 2 2 0 - h i; do printf %s "$byte"; sleep 0.01; done; printf '\\r\\n220 there\\r\\n'`,
  });
  t.strictSame(exit, ok);
  t.equal(stdout, '220-hi\r\n220 there\r\n');
});

t.test('what a start-up file prints is no greeting, and nothing of it reaches the program', async (t) => {
  const { error, stdout } = await runSmtp({ command: `echo 'Welcome to gate!'; printf '220 hi\\r\\n'; cat` });
  t.match(error, { code: 'SMTP_PROTOCOL', message: /"Welcome to gate!"$/, hint: /start-up file/ });
  t.equal(stdout, '');
});

t.test('another protocol behind the port is named as such', async (t) => {
  const port = await serve(t, (client) => client.write('SSH-2.0-OpenSSH_9.2\r\n'));
  const { error } = await runSmtp({ to: `127.0.0.1:${port}` }, { input: new PassThrough() });
  t.match(error, { code: 'SMTP_PROTOCOL', message: /SSH-2\.0-OpenSSH_9\.2/, hint: /--to localhost:25/ });
});

t.test('a server that closes without a greeting is an error', async (t) => {
  const port = await serve(t, (client) => client.end());
  const { error } = await runSmtp({ to: `127.0.0.1:${port}` }, { input: new PassThrough() });
  t.match(error, { code: 'SMTP_PROTOCOL', message: /closed the connection without an SMTP greeting/ });
});

t.test('silence ends when the time for the greeting is over', async (t) => {
  const port = await serve(t, () => undefined);
  const { error } = await runSmtp({ to: `127.0.0.1:${port}`, greetingTimeout: 0.05 }, { input: new PassThrough() });
  t.match(error, { code: 'SMTP_TIMEOUT', message: /within 0\.05 s/, hint: /--greeting-timeout/ });
});

t.test('a client that gives up before the greeting is known to the server at once', async (t) => {
  const ended = Promise.withResolvers<void>();
  const port = await serve(t, (client) => {
    client.resume().once('end', () => {
      ended.resolve();
      client.end();
    });
  });
  const { error } = await runSmtp({ to: `127.0.0.1:${port}` });
  await ended.promise;
  t.match(error, { code: 'SMTP_PROTOCOL' });
});

t.test('the status of a command is the result; its stderr is for the log alone', async (t) => {
  const { exit, stdout, log } = await runSmtp({}, { words: ['printf', `'220 hi\\r\\n';`, 'echo oops >&2; exit 75'] });
  t.strictSame(exit, { kind: 'status', code: 75 });
  t.equal(stdout, '220 hi\r\n');
  t.ok(log.includes('info: far end: oops'), log.join('\n'));
});

t.test('a command that is not there is its status 127, with a word on what to do', async (t) => {
  const { error, stdout } = await runSmtp({ command: 'no-such-sendmail -bs' });
  t.match(error, { code: 'SMTP_PROTOCOL', message: /was not found \(status 127\)/, hint: /^name it in full/ });
  t.equal(error && smtpPlugin.prepare({}, []).exitCodeOf(error), 127);
  t.equal(stdout, '');
});

t.test('a command that fails before its greeting is an error with its last words', async (t) => {
  const { error } = await runSmtp({ command: `echo 'first' >&2; echo 'not as root' >&2; exit 3` });
  t.match(error, { code: 'SMTP_PROTOCOL', message: /ended with status 3 before an SMTP greeting: not as root$/ });
});

t.test('aborting ends a run that waits for the greeting, and one that is in the middle', async (t) => {
  for (const greeting of ['', '220 hi\r\n']) {
    const ending = new AbortController();
    let opened = false;
    const port = await serve(t, (client) => {
      opened = true;
      client.write(greeting);
    });
    const run = runSmtp(
      { to: `127.0.0.1:${port}` },
      { input: new PassThrough(), signal: ending.signal, onOutput: () => ending.abort() },
    );
    if (greeting === '') {
      await waitUntil('the server is dialled', () => opened);
      ending.abort();
    }
    t.match((await run).error, { code: 'ABORTED' });
  }
});

t.test('a connection that is lost is an error', async (t) => {
  const transport = createMemoryTransport();
  const port = await serve(t, (client) => client.write('220 hi\r\n'));
  const { error, stdout } = await runSmtp(
    { to: `127.0.0.1:${port}` },
    { input: new PassThrough(), transport, onOutput: () => transport.server.cut() },
  );
  t.equal(stdout, '220 hi\r\n');
  t.match(error, { code: 'CONNECTION_LOST' });
});

t.test('each far end needs its own capability', async (t) => {
  t.strictSame(needs({}), ['direct-tcpip']);
  t.strictSame(needs({ unix: '/run/smtp' }), ['direct-streamlocal']);
  t.strictSame(needs({ command: 'sendmail -bs' }), ['exec']);
  t.equal(smtpPlugin.prepare({}, []).lifetime, 'one-shot');
  t.equal(smtpPlugin.prepare({ listen: 'tcp:0' }, []).lifetime, 'resident');
});

t.test('options that do not go together are refused before anything is dialled', async (t) => {
  for (const raw of [
    { to: 'localhost:25', unix: '/run/smtp' },
    { unix: '/run/smtp', command: 'sendmail -bs' },
    { to: 'localhost' },
    { listen: '2525' },
  ])
    t.throws(() => smtpPlugin.prepare(raw, []), { code: 'OPTION_INVALID' }, JSON.stringify(raw));
  t.throws(() => smtpPlugin.prepare({ command: 'a' }, ['b']), { code: 'OPTION_INVALID' });
});

function needs(raw: Record<string, unknown>): readonly string[] {
  return smtpPlugin.prepare(raw, []).needs;
}
