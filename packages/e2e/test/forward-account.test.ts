import type { AddressInfo } from 'node:net';
import { startSshd, waitUntil } from '@viassh/testing';
import { assertFailure } from './assert-failure.ts';
import { onBothTransports } from './both-transports.ts';
import { answering, say, serve, startForward } from './forwarding.ts';
import { addAccount } from './recipes-and-accounts.ts';
import { runProgram } from './run-program.ts';
import { at, viassh } from './run-viassh.ts';

onBothTransports(
  'a key that viassh account made for forwards reaches what it names, and is refused everything else',
  async (t, transport) => {
    await using stack = new AsyncDisposableStack();
    const sshd = stack.use(await startSshd());
    const port = async (name: string): Promise<number> =>
      ((await serve(stack, { host: '127.0.0.1', port: 0 }, answering(name))).address() as AddressInfo).port;
    const [open, closed] = [await port('open'), await port('closed')];
    const listen = await (async () => {
      await using free = new AsyncDisposableStack();
      return ((await serve(free, { host: '127.0.0.1', port: 0 }, () => undefined)).address() as AddressInfo).port;
    })();
    const account = await addAccount(sshd, ['forward', '--open', `127.0.0.1:${open}`, '--listen', `${listen}`]);
    const key = { configFile: account.configFile, destination: sshd.destination };
    const args = ['-L', `0:127.0.0.1:${open}`, '-L', `0:127.0.0.1:${closed}`, '-R', `${listen}:127.0.0.1:${closed}`];
    const forward = stack.use(await startForward(key, transport, args, { count: 3 }));
    const [good, bad, remote] = forward.places;
    t.equal(await say(good ?? { path: '' }, 'x'), 'open: x', forward.stderr());
    t.equal(await say(remote ?? { path: '' }, 'x'), 'closed: x', 'its own port there leads back here');
    t.equal(await say(bad ?? { path: '' }, 'x').catch(() => ''), '');
    await waitUntil('the reason to be said', () => /administratively prohibited/.test(forward.stderr()));
    t.match(forward.stderr(), /permitopen/i, 'the likely setting');

    const other = await viassh(['forward', ...at(key, transport), '-R', '0:127.0.0.1:1']);
    assertFailure(t, other, { error: 'FORWARD_REFUSED', hint: /PermitListen|permitlisten|key/ });
    const unix = await viassh(['forward', ...at(key, transport), '-R', `${sshd.folder}/x.sock:127.0.0.1:1`]);
    assertFailure(t, unix, { error: 'FORWARD_REFUSED', hint: /./ });
    const command = await viassh(['pipe', ...at(key, transport), '--', 'id'], { input: '' });
    t.notMatch(command.stdout.toString(), /uid=/, 'no command');
    const shell = await runProgram('ssh', ['-F', key.configFile, '-tt', key.destination], { input: 'id\nexit\n' });
    t.notMatch(shell.stdout.toString(), /uid=/, 'no shell');
    const sftp = await runProgram('sftp', ['-F', key.configFile, '-b', '-', key.destination], { input: 'pwd\n' });
    t.not(sftp.code, 0, 'no files');
    const stdio = await viassh(['forward', ...at(key, transport), '-W', `127.0.0.1:${closed}`], { input: 'x' });
    assertFailure(t, stdio, { error: 'CHANNEL_REFUSED', says: /prohibited/ });
  },
);
