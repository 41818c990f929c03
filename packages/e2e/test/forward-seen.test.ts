import { connect } from 'node:net';
import { once } from 'node:events';
import { readFile } from 'node:fs/promises';
import type { AddressInfo } from 'node:net';
import { join } from 'node:path';
import { startSshd, waitUntil } from '@viassh/testing';
import { onBothTransports, onTransport } from './both-transports.ts';
import { skipWithoutCurl, startWeb } from './curl.ts';
import { answering, answers, portOf, say, serve, startForward } from './forwarding.ts';
import { overhear } from './overheard.ts';
import { at, startViassh, viassh } from './run-viassh.ts';

onTransport(
  'ssh2',
  '--for: the environment has a forward of each kind, and nothing listens after the program',
  async (t, transport) => {
    await using stack = new AsyncDisposableStack();
    const sshd = stack.use(await startSshd());
    const web = await startWeb(stack, 'web');
    const script = `curl -q -sS "http://$VIASSH_FORWARD_LOCAL_1/one"; echo
      curl -q -sS "http://$VIASSH_FORWARD_REMOTE_1_HOST:$VIASSH_FORWARD_REMOTE_1_PORT/two"; echo
      curl -q -sS -x "socks5h://$VIASSH_FORWARD_SOCKS_1" http://127.0.0.1:${web}/three; echo
      curl -q -sS -p -x "http://$VIASSH_FORWARD_HTTP_1" http://127.0.0.1:${web}/four; echo
      echo "$VIASSH_FORWARD_LOCAL_1"; exit 7`;
    const to = `127.0.0.1:${web}`;
    const args = ['-L', `0:${to}`, '-R', `0:${to}`, '-D', '0', '--http', '0', '--for', '--', 'sh', '-c', script];
    const { code, stdout, stderr } = await viassh(['forward', ...at(sshd, transport), ...args]);
    const lines = stdout.toString().split('\n');
    t.strictSame(
      { code, lines: lines.slice(0, 4) },
      { code: 7, lines: ['web /one', 'web /two', 'web /three', 'web /four'] },
      stderr,
    );
    const port = Number(/:(\d+)$/.exec(lines[4] ?? '')?.[1]);
    t.ok(port > 0, stdout.toString());
    t.notOk(await answers({ host: '127.0.0.1', port }));
  },
  skipWithoutCurl,
);

onBothTransports('--once: a lost connection ends it with 255 and takes its socket away', async (t, transport) => {
  await using stack = new AsyncDisposableStack();
  const sshd = stack.use(await startSshd({ mode: 'listen' }));
  const path = join(sshd.folder, 'near.sock');
  const forward = stack.use(
    await startForward(sshd, transport, ['-L', `${path}:127.0.0.1:1`, '-D', '0', '--once'], { count: 2 }),
  );
  await sshd.kill();
  t.strictSame(await forward.exit, { code: 255, signal: null });
  t.match(forward.stderr(), /\(CONNECTION_LOST\)/);
  t.notOk(await answers({ path }));
});

onBothTransports(
  '--json: a line for each that stands, opens, closes and is refused; the table on SIGUSR1 says the same',
  async (t, transport) => {
    await using stack = new AsyncDisposableStack();
    const sshd = stack.use(await startSshd());
    const echo = await serve(stack, { host: '127.0.0.1', port: 0 }, answering('far'));
    const to = `127.0.0.1:${(echo.address() as AddressInfo).port}`;
    const args = ['--json', '-L', `0:${to}`, '-L', '0:127.0.0.1:1', '-R', `0:${to}`];
    const running = stack.use(startViassh(['forward', ...at(sshd, transport), ...args], { stdin: 'ignore' }));
    const stdout = overhear(running.stdout);
    const events = (): Record<string, unknown>[] =>
      stdout
        .text()
        .split('\n')
        .slice(0, -1)
        .map((line) => JSON.parse(line) as Record<string, unknown>);
    const until = async (event: string, count: number): Promise<Record<string, unknown>[]> =>
      await waitUntil(
        `${count} of ${event} in ${stdout.text()}`,
        () => {
          const found = events().filter((each) => each['event'] === event);
          return found.length >= count && found;
        },
        { withinMs: 20_000 },
      );
    const listening = await until('listening', 3);
    t.strictSame(
      listening.map(({ kind, side }) => [kind, side]),
      [
        ['local', 'here'],
        ['local', 'here'],
        ['remote', 'there'],
      ],
    );
    const [good = 0, bad = 0, remote = 0] = listening.map(({ port }) => Number(port));
    const text = 'five!';
    await say({ host: '127.0.0.1', port: good }, text);
    await say({ host: '127.0.0.1', port: bad }, text).catch(() => '');
    await say({ host: '127.0.0.1', port: remote }, text);
    const [local, far] = await until('closed', 2);
    const answer = 'far: '.length + text.length;
    t.match(local, { forward: 1, to, sent: text.length, received: answer, originator: { address: '127.0.0.1' } });
    t.match(far, { forward: 3, to });
    if (transport === 'openssh') t.equal(far?.['originator'], null, 'nobody tells who it was');
    else t.match(far, { originator: { address: '127.0.0.1' } });
    const [refused] = await until('refused', 1);
    t.match(refused, { forward: 2, error: { code: 'CHANNEL_REFUSED' } });
    running.kill('SIGUSR1');
    const [status] = await until('status', 1);
    t.match(status, { forwards: [{ accepted: 1, open: 0, refused: 0 }, { accepted: 1, refused: 1 }, { accepted: 1 }] });

    const people = stack.use(await startForward(sshd, transport, ['-L', `0:${to}`]));
    const place = { host: '127.0.0.1', port: portOf(people.places[0]) };
    const client = connect(place).on('error', () => undefined);
    stack.defer(() => void client.destroy());
    await once(client, 'connect');
    client.write(text);
    await waitUntil(
      'the table to show it',
      async () => {
        people.kill('SIGUSR1');
        return new RegExp(`127\\.0\\.0\\.1:${client.localPort} -> .*${to} +5 `).test(people.stderr());
      },
      { everyMs: 100 },
    );
    t.match(people.stderr(), /^via \S+@\S+/m);
  },
);

onTransport('ssh2', 'stdin that is closed or /dev/null ends nothing: cron starts it so', async (t, transport) => {
  await using stack = new AsyncDisposableStack();
  const sshd = stack.use(await startSshd());
  const echo = await serve(stack, { host: '127.0.0.1', port: 0 }, answering('far'));
  const args = ['-N', '-T', '-L', `0:127.0.0.1:${(echo.address() as AddressInfo).port}`];
  const forward = stack.use(await startForward(sshd, transport, args, { shell: 'exec "$@" <&-', stdin: 'pipe' }));
  t.equal(await say(forward.places[0] ?? { path: '' }, 'x'), 'far: x');
  t.ok((await readFile(`/proc/${forward.pid}/stat`, 'utf8')).length > 0, 'it lives');
});
