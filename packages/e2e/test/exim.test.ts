import { missingForExim, waitUntil } from '@viassh/testing';
import { onTransport, onBothTransports, skipWithoutSshd } from './both-transports.ts';
import { largeMail, messageIdOf, testMail } from './mail-contents.ts';
import { startMailRoute } from './mail-route.ts';

const skip = skipWithoutSshd || ((await missingForExim()) ?? false);
const MAILS = 30;

onBothTransports(
  `exim, ${MAILS} mails: the queue empties, each arrives once, byte for byte`,
  async (t, transport) => {
    await using route = await startMailRoute({ near: 'exim', far: 'exim', transport });
    const mails = Array.from({ length: MAILS }, (_, index) => testMail(index));
    if (transport === 'ssh2') mails.push(largeMail(MAILS), testMail(MAILS + 1, 'jürgen@far.example'));
    for (const mail of mails) await route.near.submit({ ...mail, to: [mail.to] });
    console.time(transport);
    await Promise.all([route.near.flush(), route.near.flush(), route.near.flush()]);
    console.timeEnd(transport);
    if ((await route.near.queue()).length > 0) console.log(await route.near.log());
    t.strictSame(await route.near.queue(), [], 'nothing waits');
    const arrived = await waitUntil('all to arrive', async () => {
      const found = await route.far.arrived();
      return found.length >= mails.length ? found : false;
    });
    t.equal(arrived.length, mails.length);
    for (const { to, from, content } of mails) {
      const found = arrived.filter((mail) => messageIdOf(mail.content) === messageIdOf(content));
      t.strictSame(
        found.map((mail) => [mail.from, mail.to]),
        [[from, to]],
      );
      t.ok(found[0]?.content.equals(content), `${messageIdOf(content)} as it was`);
    }
  },
  skip,
);
