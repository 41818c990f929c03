import { missingForExim } from '@viassh/testing';
import { onBothTransports, skipWithoutSshd } from '../test/both-transports.ts';
import { checkArrival } from '../test/mail-arrives.ts';
import { largeMail, testMail } from '../test/mail-contents.ts';
import { startMailRoute } from '../test/mail-route.ts';

const MAILS = 200;

onBothTransports(
  `exim delivers ${MAILS} mails to exim: the queue empties, each arrives once, byte for byte`,
  async (t, transport) => {
    await using route = await startMailRoute({ near: 'exim', far: 'exim', transport });
    const mails = Array.from({ length: MAILS - 2 }, (_, index) => testMail(index));
    const started = performance.now();
    await checkArrival(t, route, [...mails, largeMail(MAILS - 2), testMail(MAILS - 1, 'jürgen@far.example')], 300_000);
    t.comment(`${transport}: ${MAILS} mails, ${((performance.now() - started) / 1000).toFixed(1)} s`);
  },
  skipWithoutSshd || ((await missingForExim()) ?? false),
);
