import { once } from 'node:events';
import { text } from 'node:stream/consumers';
import t from 'tap';
import { imapOver } from '@viassh/plugin-imap';
import { connect } from './run-imap.ts';

t.test('a library caller gets a channel that begins with the greeting', async (t) => {
  await using connection = await connect();
  const channel = await imapOver(connection, { command: `printf '* PREAUTH hi\\r\\n'; cat; exit 5` });
  channel.end('a LOGOUT\r\n');
  t.equal(await text(channel), '* PREAUTH hi\r\na LOGOUT\r\n');
  t.strictSame(await channel.exit, { kind: 'status', code: 5 });
});

t.test('a refusal leaves the connection usable and no session behind', async (t) => {
  await using connection = await connect();
  for (let round = 0; round < 12; round += 1) {
    // sshd and the memory server allow ten sessions at a time
    await t.rejects(imapOver(connection, { command: `printf '* OK login\\r\\n'; exec cat` }), {
      code: 'IMAP_NOT_PREAUTH',
      cause: '* OK login',
    });
  }
  const channel = await imapOver(connection, { command: `printf '* PREAUTH hi\\r\\n'` });
  t.match(await text(channel), '* PREAUTH');
});

t.test('a missing command is an error here, with its status and its own words in the cause', async (t) => {
  await using connection = await connect();
  await t.rejects(imapOver(connection, { command: 'viassh-no-such-imapd' }), {
    code: 'IMAP_NO_GREETING',
    cause: { exit: { kind: 'status', code: 127 }, stderr: /viassh-no-such-imapd/ },
  });
});

t.test('an abort while the greeting is awaited closes the channel', async (t) => {
  await using connection = await connect();
  const controller = new AbortController();
  const opening = imapOver(connection, {
    command: 'echo started >&2; exec cat',
    signal: controller.signal,
    log: abortOnLog(controller),
  });
  await t.rejects(opening, { code: 'ABORTED' });
  await t.rejects(imapOver(connection, { command: 'exec cat', signal: AbortSignal.abort() }), { code: 'ABORTED' });
});

t.test('a channel that breaks while nobody listens does not end the process', async (t) => {
  await using connection = await connect();
  const channel = await imapOver(connection, { command: `printf '* PREAUTH hi\\r\\n'; exec cat` });
  const closed = once(channel, 'close').catch(() => undefined);
  channel.destroy(new Error('broken'));
  await closed;
  t.ok(channel.destroyed);
});

function abortOnLog(controller: AbortController): { error(): void; warning(): void; info(): void; debug(): void } {
  const abort = (): void => controller.abort();
  return { error: abort, warning: abort, info: abort, debug: abort };
}
