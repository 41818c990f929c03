import { missingForExim, startExim, waitUntil, watchLeaks } from '@viassh/testing';
import t from 'tap';
import { say } from '../mail/say.ts';

const skip = (await missingForExim()) ?? false;

t.test(
  'mail arrives byte for byte, once for each recipient; what is to be put off or refused is',
  { skip },
  async (t) => {
    await watchLeaks(t);
    await using exim = await startExim();
    const answers = await say(exim.port, [
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
      ['220', '250', '250', '451', '550', '250', '250', '550', '354', '250', '250', '250', '354', '550', '221'],
    );
    await waitUntil('two mails', async () => (await exim.arrived()).length === 2);
    const arrived = await exim.arrived();
    t.strictSame(arrived.map(({ to }) => to).toSorted(), ['one@far.example', 'two@far.example']);
    for (const { from, content } of arrived) {
      t.equal(from, 'a@near.example');
      t.equal(content.toString('latin1'), 'Subject: x\n\n.\n\xe4 \n');
    }
    await waitUntil('an empty queue', async () => (await exim.queue()).length === 0);
  },
);

for (const configuration of ['debian', 'debian-split'] as const) {
  t.test(
    `${configuration}: sendmail takes a mail for a user of the machine, and its queue is seen`,
    { skip },
    async (t) => {
      await watchLeaks(t);
      await using exim = await startExim({ configuration, domain: 'near.example' });
      const content = Buffer.from('From: a@near.example\nSubject: x\n\n\n');
      await exim.submit({ from: 'a@near.example', to: ['mail@near.example'], content });
      await exim.flush();
      await waitUntil('delivery', async () => (await exim.log()).includes('=> mail <mail@near.example>'));
      t.match((await exim.run('cat', ['/var/mail/mail'])).stdout, /^Subject: x$/m);
      const { exit } = await exim.run('sendmail', ['-odq', 'b@near.example'], { input: 'Subject: y\n\n\n' });
      t.strictSame(exit, { kind: 'status', code: 0 });
      t.equal((await exim.queue()).length, 1);
    },
  );
}
