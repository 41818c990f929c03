import type { Test } from 'tap';
import { waitUntil } from '@viassh/testing';
import { messageIdOf, type TestMail } from './mail-contents.ts';
import type { MailRoute } from './mail-route.ts';

/** Gives all to the near server, and checks that its queue empties, and that each arrives once, byte for byte. */
export async function checkArrival(
  t: Test,
  { near, far }: MailRoute,
  mails: readonly TestMail[],
  withinMs = 60_000,
): Promise<void> {
  for (const mail of mails) await near.submit({ ...mail, to: [mail.to] });
  await Promise.all([near.flush(), near.flush(), near.flush()]); // exim: as many at once
  await waitUntil('an empty queue', async () => (await near.queue()).length === 0, { withinMs, everyMs: 100 }).catch(
    async (error: unknown) => {
      throw new Error(`${String(error)}\n${(await near.log()).slice(-3000)}`);
    },
  );
  await waitUntil('all to arrive', async () => (await far.arrived()).length >= mails.length);
  const arrived = await far.arrived();
  t.equal(arrived.length, mails.length, 'as many as were sent');
  const wrong = mails.filter(({ from, to, content }) => {
    const found = arrived.filter((mail) => messageIdOf(mail.content) === messageIdOf(content));
    const [mail] = found;
    return !(found.length === 1 && mail?.from === from && mail.to === to && mail.content.equals(content));
  });
  t.strictSame(
    wrong.map(({ content }) => messageIdOf(content)),
    [],
    'each once, as it was',
  );
}
