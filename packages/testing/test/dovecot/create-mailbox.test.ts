import t from 'tap';
import { createProgramRunner } from '@viassh/program';
import { createMailbox, missingForDovecot, missingForSshd, startSshd } from '@viassh/testing';

const skip = (await missingForSshd()) ?? (await missingForDovecot()) ?? false;

t.test('a real imap greets with PREAUTH over ssh and has the messages', { skip }, async (t) => {
  await using sshd = await startSshd();
  const mailbox = await createMailbox(sshd);
  t.equal(mailbox.messages.length, 3);
  const input = 'a select inbox\r\nb fetch 1:* (envelope bodystructure)\r\nc fetch 2 body.peek[]\r\nd logout\r\n';
  const output = await createProgramRunner().run({
    file: 'ssh',
    args: ['-F', sshd.configFile, 't', mailbox.command],
    input,
  });
  t.strictSame(output.exit, { kind: 'status', code: 0 }, output.stderr);
  t.match(output.stdout, /^\* PREAUTH /);
  t.match(output.stdout, /^\* 3 EXISTS/m);
  for (const { messageId } of mailbox.messages) t.ok(output.stdout.includes(messageId), messageId);
  t.match(output.stdout, /"mixed"/i);
  t.match(output.stdout, /Schöne Grüße/);
});

t.test('as many messages as were asked for, no two the same', { skip }, async (t) => {
  await using sshd = await startSshd();
  const { messages } = await createMailbox(sshd, { messages: 7 });
  t.equal(new Set(messages.map(({ subject }) => subject)).size, 7);
  t.equal(new Set(messages.map(({ messageId }) => messageId)).size, 7);
});
