import { setTimeout as delay } from 'node:timers/promises';
import { createMailbox, missingForDovecot, missingForSshd, startSshd } from '@viassh/testing';
import type { Test } from 'tap';
import { tidyTest } from '../test/both-transports.ts';
import { deliver } from '../test/deliver.ts';
import { overhear } from '../test/overheard.ts';
import { at, startViassh, transports } from '../test/run-viassh.ts';

const minutes = Number(process.env['VIASSH_SOAK_IDLE_MINUTES'] ?? 10);
const KEEPALIVE_SECONDS = 5;
/** What Dovecot itself says every two minutes. */
const stillHere = /\* OK Still here\r\n/g;

tidyTest(
  `${minutes} minutes of IDLE: kept alive on the connection alone, and the mail at the end is told`,
  async (t) => void (await Promise.all(transports.map((transport) => idle(t, transport)))),
  (await missingForSshd()) ?? (await missingForDovecot()) ?? false,
);

async function idle(t: Test, transport: (typeof transports)[number]): Promise<void> {
  await using sshd = await startSshd({ mode: 'listen' });
  const { command, maildir } = await createMailbox(sshd);
  const keepalive = ['-o', `ServerAliveInterval=${KEEPALIVE_SECONDS}`];
  await using running = startViassh(['imap', '-v', ...keepalive, ...at(sshd, transport), '--command', command]);
  const said = overhear(running.stdout);
  const [first, last] = ['a SELECT INBOX\r\nb IDLE\r\n', 'DONE\r\nc LOGOUT\r\n'];
  running.stdin.write(first);
  const before = await said.until(/\n\+ idling\r\n$/);
  await delay(minutes * 60_000);
  t.equal(said.text().replaceAll(stillHere, ''), before, `${transport}: nothing but Dovecot's own words came`);
  await deliver(sshd, maildir, 'Subject: new\n\nnew\n');
  await said.until(/\* 4 EXISTS\r\n/);
  running.stdin.write(last);
  t.strictSame(await running.exit, { code: 0, signal: null }, transport);
  const counted = (first + last).trimEnd().length; // Dovecot leaves the last line end out
  const [, received] = / in=(\d+) out=/.exec(running.stderr()) ?? [];
  t.equal(Number(received), counted, `${transport}: Dovecot got what was typed, and nothing else`);
  const keepalives = (await sshd.log()).match(/rtype keepalive@openssh\.com/g)?.length ?? 0;
  t.comment(
    `${transport}: ${minutes} minutes of IDLE, ${keepalives} keepalives, ${said.text().match(stillHere)?.length ?? 0} times "Still here"`,
  );
  t.ok(keepalives >= (minutes * 60) / KEEPALIVE_SECONDS - 5, `${transport}: ${keepalives} keepalives`);
}
