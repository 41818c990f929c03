import { once } from 'node:events';
import { PassThrough, Writable } from 'node:stream';
import { buffer } from 'node:stream/consumers';
import t from 'tap';
import { imapPlugin } from '@viassh/plugin-imap';
import { createMemoryTransport } from '@viassh/testing';
import { findServer } from '../src/find-server.ts';
import { mailProtocols } from '../src/mail-protocol.ts';
import { makePuppet, runImap } from './run-imap.ts';

const ok = { kind: 'status', code: 0 };

t.test('what the far end says passes byte for byte, the greeting and what follows it', async (t) => {
  const greeting = '* PREAUTH [CAPABILITY IMAP4rev1] hi\r\n* 3 EXISTS\r\n\0\xff';
  const { exit, stdout } = await runImap({
    command: `printf '* PREAUTH [CAPABILITY IMAP4rev1] hi\\r\\n* 3 EXISTS\\r\\n\\000ÿ'`,
  });
  t.strictSame(exit, ok);
  t.equal(stdout, greeting);
});

t.test('a greeting cut at any byte passes whole', async (t) => {
  const bytes = Buffer.from('* PREAUTH hi\r\n* OK more\r\n');
  for (let at = 1; at < bytes.length; at += 1) {
    const puppet = makePuppet();
    const run = runImap({}, { transport: puppet.transport });
    await puppet.started;
    puppet.output.write(bytes.subarray(0, at));
    await new Promise(setImmediate);
    puppet.output.write(bytes.subarray(at));
    puppet.end({ kind: 'status', code: 0 });
    t.match(await run, { exit: ok, stdout: bytes.toString() }, `cut at ${at}`);
  }
});

t.test('after the greeting both ways are open, and the end of input ends the session', async (t) => {
  const { exit, stdout } = await runImap(
    { command: `printf '* PREAUTH hi\\r\\n'; cat; exit 3` },
    { input: 'a NOOP\r\nb LOGOUT\r\n' },
  );
  t.strictSame(exit, { kind: 'status', code: 3 });
  t.equal(stdout, '* PREAUTH hi\r\na NOOP\r\nb LOGOUT\r\n');
});

t.test('a far end that logs out ends the run while the input is still open', async (t) => {
  const input = new PassThrough();
  input.write('a LOGOUT\r\n');
  const { exit, stdout } = await runImap(
    { command: `printf '* PREAUTH hi\\r\\n'; read -r line; printf '* BYE\\r\\n'` },
    { input },
  );
  t.strictSame(exit, ok);
  t.equal(stdout, '* PREAUTH hi\r\n* BYE\r\n');
});

t.test('nothing is sent before the greeting', async (t) => {
  const puppet = makePuppet();
  const run = runImap({}, { transport: puppet.transport, input: 'a LOGOUT\r\n' });
  await puppet.started;
  await new Promise(setImmediate);
  t.equal(puppet.received.readableLength, 0);
  t.notOk(puppet.received.writableEnded);
  puppet.output.write('* PREAUTH hi\r\n');
  t.equal((await buffer(puppet.received)).toString(), 'a LOGOUT\r\n');
  puppet.end({ kind: 'status', code: 0 });
  t.match(await run, { exit: ok });
});

t.test('8 MiB through a slow reader arrive whole, in both directions', async (t) => {
  const size = 8 * 1024 * 1024;
  let received = 0;
  const output = new Writable({
    highWaterMark: 1024,
    write: (chunk: Buffer, _encoding, done) => {
      received += chunk.length;
      setImmediate(done);
    },
  });
  const input = new PassThrough();
  input.end(Buffer.alloc(size, 'x'));
  const { exit } = await runImap({ command: `printf '* PREAUTH hi\\r\\n'; cat` }, { input, output });
  t.strictSame(exit, ok);
  t.equal(received, size + '* PREAUTH hi\r\n'.length);
});

t.test('a reader that goes away ends the run quietly, as SIGPIPE would', async (t) => {
  const output = new Writable({
    write: (_chunk, _encoding, done) => done(Object.assign(new Error('EPIPE'), { code: 'EPIPE' })),
  });
  const { exit, error } = await runImap(
    { command: `printf '* PREAUTH hi\\r\\n'; exec sleep 600` },
    { output, input: new PassThrough() },
  );
  t.equal(error, undefined);
  t.match(exit, { kind: 'signal', signal: 'PIPE' });
});

t.test('an abort ends the run, before the greeting and after it', async (t) => {
  for (const greeting of ['', '* PREAUTH hi\r\n']) {
    const puppet = makePuppet();
    const controller = new AbortController();
    const output = new PassThrough();
    const run = runImap(
      {},
      { transport: puppet.transport, signal: controller.signal, output, input: new PassThrough() },
    );
    await puppet.started;
    if (greeting !== '') {
      puppet.output.write(greeting);
      await once(output, 'readable');
    }
    controller.abort();
    t.match(await run, { error: { code: 'ABORTED' } });
    await puppet.closed;
  }
});

t.test('a lost connection is told as that, before the greeting and after it', async (t) => {
  for (const greeting of ['', '* PRE', '* PREAUTH hi\r\n']) {
    const puppet = makePuppet();
    const output = new PassThrough();
    const run = runImap({}, { transport: puppet.transport, output, input: new PassThrough() });
    await puppet.started;
    puppet.output.write(greeting);
    if (greeting.endsWith('\n')) await once(output, 'readable');
    puppet.transport.server.cut();
    t.match(await run, { error: { code: 'CONNECTION_LOST' } });
  }
});

t.test('the far end stderr goes to the log, sanitised, and never to stdout', async (t) => {
  const { stdout, log } = await runImap({
    command: `printf 'one\\033[2J\\ntwo' >&2; printf '* PREAUTH hi\\r\\n'; cat; sleep 0`,
  });
  t.equal(stdout, '* PREAUTH hi\r\n');
  t.ok(log.includes('info: far end: one\\u001b[2J'));
  t.ok(log.includes('info: far end: two'));
  t.ok(log.includes('info: greeting: * PREAUTH hi'));
  t.notOk(log.some((line) => line.startsWith('info: capabilities')));
  const capable = await runImap({ command: `printf '* PREAUTH [CAPABILITY IMAP4rev1 IDLE] hi\\r\\n'` });
  t.ok(capable.log.includes('info: capabilities: IMAP4rev1 IDLE'));
});

t.test('the command: default, --command unaltered, words joined by a blank; not two of them', async (t) => {
  const asked = async (raw: Record<string, unknown>, words: readonly string[] = []): Promise<unknown> => {
    const transport = createMemoryTransport({ session: () => undefined });
    t.match(await runImap(raw, { transport }, words), { error: { code: 'REQUEST_REFUSED' } });
    return transport.server.requests.map((request) => (request.kind === 'exec' ? request.command : request.kind));
  };
  t.strictSame(await asked({}), [findServer(mailProtocols.imap)]);
  t.strictSame(await asked({ command: '  exec  imapd "$HOME"' }), ['  exec  imapd "$HOME"']);
  t.strictSame(await asked({}, ['/usr/lib/dovecot/imap', '-o', 'a b']), ['/usr/lib/dovecot/imap -o a b']);
  t.throws(() => imapPlugin.prepare({ command: 'x' }, ['y']), { code: 'OPTION_INVALID', hint: /give one of/ });
  t.throws(() => imapPlugin.prepare({ greetingTimeout: 0 }, []), { code: 'OPTION_INVALID' });
  t.strictSame(imapPlugin.prepare({}, []).needs, ['exec']);
});
