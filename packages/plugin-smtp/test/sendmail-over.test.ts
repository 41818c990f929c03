import { readFile } from 'node:fs/promises';
import { Readable } from 'node:stream';
import t, { type Test } from 'tap';
import {
  type MailerMessage,
  type SendError,
  type SendmailOptions,
  type SentMail,
  sendmailOver,
} from '@viassh/plugin-smtp';
import { createMemoryTransport, type MemoryTransport } from '@viassh/testing';
import { connect, serve } from './run-relay.ts';
import { type Heard, smallServer } from './small-server.ts';

interface Mailer {
  readonly heard: Heard;
  readonly transport: ReturnType<typeof sendmailOver>;
  send(mail: MailerMessage): Promise<SentMail>;
}

async function makeMailer(t: Test, options: SendmailOptions = {}, memory?: MemoryTransport): Promise<Mailer> {
  const heard: Heard = { commands: [], messages: [] };
  const port = await serve(t, smallServer(heard));
  const connection = await connect(memory);
  t.teardown(() => connection.close());
  const transport = sendmailOver(connection, {
    name: 'me.example',
    ...(options.command === undefined ? { to: `127.0.0.1:${port}` } : {}),
    ...options,
  });
  const send = (mail: MailerMessage): Promise<SentMail> =>
    new Promise((resolve, reject) => {
      transport.send(mail, (error, info) => (error === null ? resolve(info) : reject(error)));
    });
  return { heard, transport, send };
}

function message(to: string[], content = 'Subject: hi\r\n\r\nhello\r\n.\r\n', dsn?: unknown): MailerMessage {
  return {
    data: { dsn },
    message: {
      getEnvelope: () => ({ from: 'me@me.example', to }),
      messageId: () => '<1@me.example>',
      createReadStream: () => Readable.from([Buffer.from(content)]),
    },
  };
}

t.test('a message arrives, and the result is what nodemailer gives', async (t) => {
  const { heard, send } = await makeMailer(t);
  const info = await send(message(['one@x.example', 'two@x.example']));
  t.strictSame(info, {
    envelope: { from: 'me@me.example', to: ['one@x.example', 'two@x.example'] },
    messageId: '<1@me.example>',
    accepted: ['one@x.example', 'two@x.example'],
    rejected: [],
    response: info.response,
  });
  t.match(info.response, /^250 2\.0\.0 queued as 1/);
  t.strictSame(heard.messages, ['Subject: hi\n\nhello\n..']);
  t.equal(heard.commands[0], 'EHLO me.example');
  t.equal(heard.commands.at(-1), 'QUIT');
});

t.test('some recipients refused: delivered to the others, each of the refused with its error', async (t) => {
  const { heard, send } = await makeMailer(t);
  const info = await send(message(['refused@x.example', 'one@x.example', 'later@x.example']));
  t.strictSame(info.accepted, ['one@x.example']);
  t.strictSame(info.rejected, ['refused@x.example', 'later@x.example']);
  t.match(info.rejectedErrors, [
    { code: 'SMTP_REFUSED', responseCode: 550, message: /<refused@x\.example> was refused/ },
    { code: 'SMTP_TEMPORARY', responseCode: 450 },
  ]);
  t.equal(heard.messages.length, 1);
});

t.test('nobody accepts: an error that says whether to try again', async (t) => {
  const { heard, send } = await makeMailer(t);
  const fails = async (...to: string[]): Promise<SendError> => {
    try {
      return t.fail(`sent: ${JSON.stringify(await send(message(to)))}`) as never;
    } catch (error) {
      return error as SendError;
    }
  };
  t.match(await fails('refused@x.example'), {
    code: 'SMTP_REFUSED',
    responseCode: 550,
    response: /^550 5\.1\.1/,
    rejected: ['refused@x.example'],
  });
  const mixed = await fails('refused@x.example', 'later@x.example');
  t.match(mixed, { code: 'SMTP_TEMPORARY', responseCode: 450, rejected: ['refused@x.example', 'later@x.example'] });
  t.equal(mixed.rejectedErrors?.length, 2);
  t.strictSame(heard.messages, []);
});

t.test('a connection that is cut when all was sent is no refusal', async (t) => {
  const { heard, send } = await makeMailer(t);
  await t.rejects(send(message(['one@x.example'], 'X-Cut: yes\r\n\r\n')), { code: 'CONNECTION_LOST' });
  t.equal(heard.messages.length, 1);
});

t.test('notifications are asked for as RFC 3461 writes it', async (t) => {
  const { heard, send } = await makeMailer(t);
  await send(
    message(['one@x.example'], 'a: b\r\n', {
      id: 'a+b c',
      return: 'headers',
      notify: ['failure', 'delay'],
      recipient: 'o@x',
    }),
  );
  t.match(
    heard.commands.find((line) => line.startsWith('MAIL')),
    / RET=HDRS ENVID=a\+2Bb\+20c(?: |$)/,
  );
  t.match(
    heard.commands.find((line) => line.startsWith('RCPT')),
    / NOTIFY=FAILURE,DELAY ORCPT=rfc822;o@x$/,
  );
});

t.test('verify greets and says goodbye, by callback and by promise', async (t) => {
  const { heard, transport } = await makeMailer(t);
  t.equal(await transport.verify(), true);
  t.equal(await new Promise((resolve) => transport.verify((_, success) => resolve(success))), true);
  t.strictSame(heard.commands, ['EHLO me.example', 'QUIT', 'EHLO me.example', 'QUIT']);
});

t.test('a server that is none, and one that is not there, are errors of verify and send', async (t) => {
  const { transport, send } = await makeMailer(t, { command: 'echo Welcome' });
  await t.rejects(transport.verify(), { code: 'SMTP_PROTOCOL' });
  await t.rejects(send(message(['one@x.example'])), { code: 'SMTP_PROTOCOL' });
  const error = await new Promise<Error | null>((resolve) => transport.verify((failure) => resolve(failure)));
  t.match(error, { code: 'SMTP_PROTOCOL' });
  const refusing = await makeMailer(t, {}, createMemoryTransport({ refuse: ['direct-tcpip'] }));
  await t.rejects(refusing.send(message(['one@x.example'])), { code: 'CHANNEL_REFUSED' });
});

t.test('an aborted signal refuses what comes after', async (t) => {
  const { send } = await makeMailer(t, { signal: AbortSignal.abort() });
  await t.rejects(send(message(['one@x.example'])), { code: 'ABORTED' });
});

t.test('a message to nobody is refused before anything is dialled', async (t) => {
  const { heard, send } = await makeMailer(t);
  await t.rejects(send(message([])), { code: 'OPTION_INVALID' });
  t.strictSame(heard.commands, []);
});

t.test('the far end cannot be named twice', async (t) => {
  const connection = await connect();
  t.teardown(() => connection.close());
  t.throws(() => sendmailOver(connection, { to: 'localhost:25', unix: '/run/smtp' }), { code: 'OPTION_INVALID' });
});

t.test('the version is that of the package', async (t) => {
  const { transport } = await makeMailer(t);
  const manifest = JSON.parse(await readFile(new URL('../package.json', import.meta.url), 'utf8')) as {
    version: string;
  };
  t.equal(transport.version, manifest.version);
});
