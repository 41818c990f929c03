import { once } from 'node:events';
import { connect } from 'node:net';
import { missingForExim, missingForPostfix, startExim, startPostfix, startSshd, waitUntil } from '@viassh/testing';
import { onTransport, skipWithoutSshd, tidyTest } from './both-transports.ts';
import { at, viassh } from './run-viassh.ts';

/** What a server that is not strict may take for the end of a mail: all that lines end with, around a dot. */
const ends = ['\n', '\r', '\r\n', '\r\r\n', '\n\r', '\r\0\n', '\0\r\n', ''];
const corpus = ends
  .flatMap((before) => ends.flatMap((after) => [`${before}.${after}`, `${before}..${after}`]))
  .filter((sequence) => !/\0/.test(sequence) || sequence.length > 2);
const second = 'MAIL FROM:<a@evil.example>\r\nRCPT TO:<evil@far.example>\r\nDATA\r\nsecond\r\n';

const farServers = [
  ['exim', startExim, await missingForExim()],
  ['postfix', startPostfix, await missingForPostfix()],
] as const;
for (const [name, start, missing] of farServers) {
  onTransport(
    'ssh2',
    `${name}: never two mails from one, whatever is in it, in batches of CRLF and of LF`,
    async (t, transport) => {
      await using sshd = await startSshd();
      await using far = await start();
      let expected = 0;
      for (const end of ['\r\n', '\n']) {
        const mails = corpus
          .filter((sequence) => !isEnd(`x${sequence}M`, end))
          .map((sequence, index) =>
            [
              'MAIL FROM:<me@near.example>',
              `RCPT TO:<n${index}@far.example>`,
              'DATA',
              'Subject: x',
              '',
              `first${sequence}${end === '\n' ? second.replaceAll('\r\n', '\n') : second}.`,
              '',
            ].join(end),
          );
        expected += mails.length;
        const args = ['smtp', '--bsmtp', '--to', `127.0.0.1:${far.port}`, ...at(sshd, transport)];
        const { code, stdout } = await viassh(args, { input: Buffer.from(mails.join(''), 'latin1'), withinMs: 60_000 });
        t.equal(code, 0, stdout.toString());
      }
      await waitUntil('all to arrive', async () => (await far.arrived()).length >= expected, { withinMs: 30_000 });
      await waitUntil('an empty queue', async () => (await far.queue()).length === 0);
      const arrived = await far.arrived();
      t.equal(arrived.length, expected);
      t.strictSame(
        arrived.filter(({ to }) => to.startsWith('evil')),
        [],
        'no second one',
      );
    },
    skipWithoutSshd || (missing ?? false),
  );
}

tidyTest(
  'what the corpus has makes two mails of one where it is sent as it is',
  async (t) => {
    await using far = await startPostfix();
    const socket = connect(far.port, '127.0.0.1').resume();
    const closed = once(socket, 'close');
    const first =
      'EHLO x\r\nMAIL FROM:<me@near.example>\r\nRCPT TO:<you@far.example>\r\nDATA\r\nSubject: x\r\n\r\nfirst';
    for (const text of first.split(/(?<=\r\n)(?=[MRD])/)) {
      socket.write(text);
      await once(socket, 'data');
    }
    socket.write(`\n.\r\n${second}.\r\nQUIT\r\n`);
    await closed;
    const found = await waitUntil('both', async () => ((await far.arrived()).length === 2 ? far.arrived() : false));
    t.ok(found.some(({ to }) => to === 'evil@far.example'));
  },
  (await missingForPostfix()) ?? false,
);

/** In a batch of these line ends it is the end of a mail by right. */
function isEnd(text: string, end: string): boolean {
  return text.includes(`${end}.${end}`);
}
