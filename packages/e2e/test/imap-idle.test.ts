import { createMailbox, missingForDovecot, missingForSshd, startFaultyRelay, startSshd } from '@viassh/testing';
import { assertFailure } from './assert-failure.ts';
import { onBothTransports } from './both-transports.ts';
import { deliver } from './deliver.ts';
import { overhear } from './overheard.ts';
import { at, startViassh } from './run-viassh.ts';

const skip = (await missingForSshd()) ?? (await missingForDovecot()) ?? false;

onBothTransports(
  'IDLE: a mail that comes is told, and LOGOUT ends the run while stdin is open',
  async (t, transport) => {
    await using sshd = await startSshd();
    const { command, maildir } = await createMailbox(sshd);
    await using running = startViassh(['imap', ...at(sshd, transport), '--command', command]);
    const said = overhear(running.stdout);
    await said.until(/^\* PREAUTH .*\r\n$/);
    running.stdin.write('a SELECT INBOX\r\nb IDLE\r\n');
    t.match(await said.until(/\n\+ idling\r\n/), /\* 3 EXISTS\r\n/);
    await deliver(sshd, maildir, 'Subject: new\n\nnew\n');
    await said.until(/\* 4 EXISTS\r\n/);
    running.stdin.write('DONE\r\nc LOGOUT\r\n');
    t.strictSame(await running.exit, { code: 0, signal: null });
    t.match(said.text(), /\r\n\* BYE [^\r\n]*\r\nc OK [^\r\n]*\r\n$/);
    t.equal(running.stderr(), '');
  },
  skip,
);

onBothTransports(
  'the end of stdin ends the session without LOGOUT, also within IDLE',
  async (t, transport) => {
    await using sshd = await startSshd();
    const { command } = await createMailbox(sshd);
    await using running = startViassh(['imap', ...at(sshd, transport), '--command', command]);
    const said = overhear(running.stdout);
    running.stdin.write('a SELECT INBOX\r\nb IDLE\r\n');
    await said.until(/\n\+ idling\r\n/);
    running.stdin.end();
    t.strictSame(await running.exit, { code: 0, signal: null });
    t.equal(running.stderr(), '');
  },
  skip,
);

onBothTransports(
  'IDLE on a wire that has gone dead ends by the keepalive: 255, nothing made up on stdout',
  async (t, transport) => {
    await using sshd = await startSshd({ mode: 'listen' });
    const { command } = await createMailbox(sshd);
    await using relay = await startFaultyRelay({ to: sshd.port });
    const keepalive = ['-o', 'ServerAliveInterval=1', '-o', 'ServerAliveCountMax=2', '-p', String(relay.port)];
    await using running = startViassh(['imap', ...keepalive, ...at(sshd, transport), '--command', command]);
    const said = overhear(running.stdout);
    running.stdin.write('a SELECT INBOX\r\nb IDLE\r\n');
    await said.until(/\n\+ idling\r\n$/);
    const before = said.text();
    relay.stall();
    const exit = await running.exit;
    assertFailure(
      t,
      { ...exit, stdout: Buffer.of(), stderr: running.stderr() },
      { error: 'CONNECTION_LOST', says: /127\.0\.0\.1/ },
    );
    t.equal(said.text(), before);
  },
  skip,
);
