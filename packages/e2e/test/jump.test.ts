import type { Sshd } from '@viassh/testing';
import { assertFailure } from './assert-failure.ts';
import { onBothTransports } from './both-transports.ts';
import { at, viassh } from './run-viassh.ts';
import { startThree } from './three-hops.ts';

const logins = async ({ log }: Sshd): Promise<number> => (await log()).match(/Accepted publickey/g)?.length ?? 0;

onBothTransports('-J: every hop is logged in to by its own key, and -v has a line for each', async (t, transport) => {
  await using stack = new AsyncDisposableStack();
  const [first, second, far] = await startThree(stack);
  const args = ['pipe', '-v', '-J', 'first,second', ...at(far, transport), '--', 'id -un; cat; exit 5'];
  const { code, stdout, stderr } = await viassh(args, { input: 'through' });
  t.strictSame({ code, stdout: stdout.toString() }, { code: 5, stdout: `${far.user}\nthrough` }, stderr);
  t.strictSame(await Promise.all([first, second, far].map(logins)), [1, 1, 1]);
  const lines = stderr.match(/^viassh: (through|connected to) .*$/gm) ?? [];
  t.equal(lines.length, 3, stderr);
  for (const [index, sshd] of [first, second, far].entries()) {
    const words = index === 2 ? 'connected to' : 'through';
    const line = lines[index] ?? '';
    t.ok(line.startsWith(`viassh: ${words} ${sshd.user}@127.0.0.1:${sshd.port}; host key `), line);
    t.ok(line.includes(sshd.hostKeyFingerprint), line);
  }
});

onBothTransports('-J: the hop that fails is named, and none after it is dialled', async (t, transport) => {
  await using stack = new AsyncDisposableStack();
  const [first, second, far] = await startThree(stack);
  await second.kill();
  const outcome = await viassh(['pipe', '-J', 'first,second', ...at(far, transport), '--', 'echo no']);
  assertFailure(t, outcome, {
    error: 'PROXY_FAILED',
    says: new RegExp(`jump host ${first.user}@127\\.0\\.0\\.1:${first.port} .*${second.port}`),
    hint: /./,
  });
  t.notMatch(await far.log(), /Connection from/);
});
