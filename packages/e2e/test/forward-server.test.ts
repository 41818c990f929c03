import { once } from 'node:events';
import { access, readFile } from 'node:fs/promises';
import { type AddressInfo, connect as dial, createServer } from 'node:net';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { text } from 'node:stream/consumers';
import { findProgram, startSshd, waitUntil } from '@viassh/testing';
import type { Test } from 'tap';
import { onBothTransports, skipWithoutSshd, tidyTest } from './both-transports.ts';
import { addAccount, applyRecipe } from './recipes-and-accounts.ts';
import { runProgram } from './run-program.ts';
import { startViassh, viassh } from './run-viassh.ts';

/** Echoes on a port of loopback. */
async function echo(t: Test): Promise<number> {
  const server = createServer({ allowHalfOpen: true }, (client) => client.on('error', () => undefined).pipe(client));
  server.listen(0, '127.0.0.1');
  await once(server, 'listening');
  t.teardown(() => server.close());
  return (server.address() as AddressInfo).port;
}

onBothTransports('the key of the account forwards where it may, and is refused all else', async (t, transport) => {
  await using sshd = await startSshd();
  const [open, other] = [await echo(t), await echo(t)];
  const { configFile } = await addAccount(sshd, ['forward', '--open', `127.0.0.1:${open}`]);
  const via = ['-F', configFile, '--transport', transport, sshd.destination];
  const running = startViassh(['forward', ...via, '-L', `0:127.0.0.1:${open}`, '-L', `0:127.0.0.1:${other}`]);
  await using _ = running;
  let printed = '';
  running.stdout.on('data', (chunk: Buffer) => (printed += chunk.toString()));
  const ports = (): number[] => [...printed.matchAll(/tcp:localhost:(\d+) for/g)].map(([, port]) => Number(port));
  await waitUntil('both to listen', () => ports().length === 2).catch((error: unknown) => {
    throw new Error(`${printed}${running.stderr()}`, { cause: error });
  });
  const [allowed, refused] = await Promise.all(
    ports().map(async (port) => {
      const client = dial(port, 'localhost').on('error', () => undefined);
      client.end('hello');
      return await text(client).catch(() => '');
    }),
  );
  t.strictSame([allowed, refused], ['hello', '']);
  running.kill('SIGTERM');
  await running.exit;
  const ran = join(sshd.folder, 'ran');
  const shell = await viassh(['pipe', ...via, '--', `touch ${ran}`], { input: 'as it was' });
  t.equal(shell.stdout.toString(), 'as it was', 'cat, whatever was asked for');
  await t.rejects(access(ran));
  for (const listen of ['0:127.0.0.1:1', '18080']) {
    const remote = await viassh(['forward', ...via, '-R', listen]);
    t.match(remote.stderr, /FORWARD_REFUSED/, remote.stderr);
    t.equal(remote.code, 255);
  }
  t.not((await viassh(['pipe', '-t', ...via, '--', 'true'])).code, 0, 'no terminal');
});

/** What `viassh account forward` prints. */
async function line(...options: string[]): Promise<string> {
  return (await viassh(['account', 'forward', ...options])).stdout.toString();
}

tidyTest('what the options of the account make of the line, and what no line can say', async (t) => {
  t.match(await line(), /,port-forwarding,command="\/bin\/cat" /);
  t.match(await line('--keep-alive'), /command="while :;do date;sleep 10;done"/);
  t.match(await line('--sleep', '2000d'), /command="sleep 2000d"/);
  const listening = await line('--listen', '9030,*:8080');
  t.match(listening, /permitopen="localhost:1",permitlisten="9030",permitlisten="\*:8080"/);
  t.match(listening, /^# {3}GatewayPorts clientspecified$/m);
  t.notMatch(await line('--open', 'db:5432,[::1]:80'), /GatewayPorts/);
  for (const options of [
    ['--open', 'db'],
    ['--open', 'db:99999'],
    ['--open', 'db:1",command="sh'],
    ['--listen', ''],
    ['--sleep', '1; sh'],
    ['--sleep', '1', '--keep-alive'],
  ]) {
    const { code, stderr } = await viassh(['account', 'forward', ...options]);
    t.equal(code, 64, options.join(' '));
    t.match(stderr, /^viassh: .*\n {2}hint: /);
  }
});

tidyTest(
  'the recipes write what their programs take, and twice the same',
  async (t) => {
    const home = t.testdir({});
    const env = { HOME: home, VIASSH_ETC: join(home, 'etc'), XDG_CONFIG_HOME: join(home, '.config') };
    const unit = join(home, '.config/systemd/user/viassh-forward.service');
    const forwards = ['--', '-L', '8080:localhost:80', '-R', '*:9030:100%.example:80'];
    let before = '';
    for (let round = 0; round < 2; round += 1) {
      await applyRecipe('systemd', 'you@host', { env }, forwards);
      for (const by of ['systemd', 'xinetd', 'nft'])
        await applyRecipe('privileged-port', 'you@host', { env }, ['--by', by, '--port', '443']);
      const files = await Promise.all(
        [
          unit,
          join(home, 'etc/systemd/system/viassh-port-443.socket'),
          join(home, 'etc/systemd/system/viassh-port-443.service'),
          join(home, 'etc/xinetd.d/viassh-port-443'),
          join(home, 'etc/nftables.d/viassh-port-443.nft'),
        ].map(async (file) => await readFile(file, 'utf8')),
      );
      const now = files.join('\n');
      if (round === 1) t.equal(now, before);
      before = now;
    }
    t.match(before, /^ExecStart=.* forward you@host .* -L 8080:localhost:80 -R "\*:9030:100%%\.example:80"$/m);
    t.match(before, /^ListenStream=443$/m);
    t.match(before, /redirect to :9030/);
    t.match(before, /redirect += localhost 9030$/m);
    if ((await findProgram('systemd-analyze')) !== undefined) {
      const verify = { env: { ...env, XDG_RUNTIME_DIR: tmpdir() } };
      const { code, stderr } = await runProgram('systemd-analyze', ['--user', 'verify', unit], verify);
      t.equal(code, 0, stderr);
      t.notMatch(stderr, /viassh-forward\.service/, stderr);
    }
    for (const args of [
      ['systemd', 'you@host', '--name', '../x', '--', '-D', '1'],
      ['systemd', 'you@host', '--', '-L', "1:it's:2"],
      ['privileged-port', 'you@host', '--by', 'magic'],
      ['privileged-port', 'you@host', '--port', '9030'],
    ]) {
      const { code, stderr } = await viassh(['recipe', ...args]);
      t.equal(code, 64, args.join(' '));
      t.match(stderr, /^viassh: .*\n {2}hint: /);
    }
  },
  skipWithoutSshd,
);
