import { missingForPostfix, startPostfix, waitUntil, watchLeaks } from '@viassh/testing';
import t from 'tap';
import { say } from '../mail/say.ts';

const skip = (await missingForPostfix()) ?? false;

t.test(
  'mail arrives byte for byte, once for each recipient; what is to be put off or refused is',
  { skip },
  async (t) => {
    await watchLeaks(t);
    await using postfix = await startPostfix();
    const answers = await say(postfix.port, [
      'EHLO here',
      'MAIL FROM:<a@near.example>',
      'RCPT TO:<later-1@far.example>',
      'RCPT TO:<refused-1@far.example>',
      'RCPT TO:<one@far.example>',
      'RCPT TO:<two@far.example>',
      'RCPT TO:<one@elsewhere.example>',
      'DATA',
      'Subject: x\r\n\r\n..\r\n\xe4 \r\n.',
      'MAIL FROM:<a@near.example>',
      'RCPT TO:<one@far.example>',
      'DATA',
      'X-Fate: refused\r\n\r\n.',
      'QUIT',
    ]);
    t.strictSame(
      [...answers.matchAll(/^(\d{3}) /gm)].map(([, code]) => code),
      ['220', '250', '250', '450', '550', '250', '250', '554', '354', '250', '250', '250', '354', '550', '221'],
    );
    await waitUntil('two mails', async () => (await postfix.arrived()).length === 2);
    const arrived = await postfix.arrived();
    t.strictSame(arrived.map(({ to }) => to).toSorted(), ['one@far.example', 'two@far.example']);
    for (const { from, content } of arrived) {
      t.equal(from, 'a@near.example');
      t.equal(content.toString('latin1'), 'Subject: x\n\n.\n\xe4 \n');
    }
    await waitUntil('an empty queue', async () => (await postfix.queue()).length === 0);
  },
);

t.test('sendmail takes a mail, and the queue is seen', { skip }, async (t) => {
  await watchLeaks(t);
  await using postfix = await startPostfix({ domain: 'near.example' });
  const content = Buffer.from('From: a@near.example\nSubject: x\n\nb\n');
  await postfix.submit({ from: 'a@near.example', to: ['you@near.example'], content });
  const [mail] = await waitUntil('a mail', async () =>
    (await postfix.arrived()).length === 1 ? postfix.arrived() : false,
  );
  t.match(mail, { from: 'a@near.example', to: 'you@near.example' });
  t.ok(mail?.content.toString().endsWith('\n\nb\n'));
  await postfix.submit({ from: 'a@near.example', to: ['you@elsewhere.example'], content });
  await waitUntil('a mail that waits', async () => (await postfix.queue()).length === 1);
  await waitUntil('word of it', async () => /to=<you@elsewhere\.example>.*status=deferred/.test(await postfix.log()));
});
