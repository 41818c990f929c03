import { spawn } from 'node:child_process';
import { once } from 'node:events';
import { type AddressInfo, connect, createServer } from 'node:net';
import process from 'node:process';
import { findProgram, startSshd, waitUntil } from '@viassh/testing';
import { onBothTransports, onTransport, skipWithoutSshd } from './both-transports.ts';
import { overhear } from './overheard.ts';
import { at, cliFile, startViassh, surroundings, viassh } from './run-viassh.ts';

const noTerminal =
  skipWithoutSshd || ((await findProgram('script')) === undefined ? 'script (util-linux) is not installed' : false);

onBothTransports(
  '--for: the program reaches the far end by its environment, and its exit code is ours',
  async (t, transport) => {
    await using stack = new AsyncDisposableStack();
    const sshd = stack.use(await startSshd());
    const port = await greet(stack);
    const script = `
    const { VIASSH_FORWARD_LOCAL_1_HOST: host, VIASSH_FORWARD_LOCAL_1_PORT: port, VIASSH_FORWARD_SOCKS_1: socks } = process.env;
    require('net').connect({ host, port }).on('data', (data) => console.log(data + ' ' + socks)).on('end', () => process.exit(7))`;
    const forwards = ['-L', `0:127.0.0.1:${port}`, '-D', '127.0.0.1:0'];
    const words = ['--for', '--', process.execPath, '-e', script];
    const outcome = await viassh(['forward', ...at(sshd, transport), ...forwards, ...words]);
    t.match(outcome.stdout.toString(), /^welcome 127\.0\.0\.1:\d+\n$/, 'nothing of ours on its output');
    t.equal(outcome.stderr, '');
    t.equal(outcome.code, 7);
  },
);

onTransport(
  'ssh2',
  '--for: a signal to us is for the program, which ends as it likes; a program that is not there is said',
  async (t, transport) => {
    await using stack = new AsyncDisposableStack();
    const sshd = stack.use(await startSshd());
    const forward = ['forward', ...at(sshd, transport), '-L', '0:127.0.0.1:1', '--for', '--'];
    const script = `trap 'echo asked to end; exit 5' TERM; echo up; while :; do sleep 0.1; done`;
    await using running = startViassh([...forward, 'sh', '-c', script], { stdin: 'ignore' });
    const stdout = overhear(running.stdout);
    await stdout.until(/^up$/m);
    running.kill('SIGTERM');
    t.same(await running.exit, { code: 5, signal: null });
    t.equal(stdout.text(), 'up\nasked to end\n');
    const missing = await viassh([...forward, 'no-such-program']);
    t.equal(missing.code, 255);
    t.match(missing.stderr, /no-such-program is not installed \(PROGRAM_NOT_FOUND\)/);
  },
);

onTransport(
  'openssh',
  '--for: Ctrl-C at the terminal reaches the program once, the forward goes on under it, and its end is ours',
  async (t, transport) => {
    await using stack = new AsyncDisposableStack();
    const sshd = stack.use(await startSshd({ mode: 'listen' })); // a ProxyCommand would get the Ctrl-C
    const port = await greet(stack);
    const program = `
      const { VIASSH_FORWARD_LOCAL_1_HOST: host, VIASSH_FORWARD_LOCAL_1_PORT: port } = process.env;
      process.on('SIGINT', () => {
        console.log('interrupted');
        require('net').connect({ host, port }).on('data', (data) => console.log('said ' + data)).on('close', () => process.stdin.resume());
      });
      process.stdin.on('data', () => process.exit(7)).pause();
      setInterval(() => undefined, 1000);
      console.log('up');`;
    const args = ['forward', ...at(sshd, transport), '-L', `0:127.0.0.1:${port}`, '--for', '--', process.execPath];
    const child = spawn('script', ['-qfec', `exec "$NODE" "$CLI" ${args.join(' ')} -e "$PROGRAM"`, '/dev/null'], {
      env: { ...surroundings, NODE: process.execPath, CLI: cliFile, PROGRAM: program, SHELL: '/bin/sh' },
      stdio: ['pipe', 'pipe', 'inherit'],
      detached: true,
    });
    const closed = once(child, 'close');
    stack.defer(async () => {
      child.kill('SIGKILL');
      await closed;
    });
    const stdout = overhear(child.stdout);
    await stdout.until(/^up\r?\n/m);
    child.stdin.write('\u0003');
    await stdout.until(/^said welcome\r?\n/m);
    child.stdin.write('\n');
    t.equal((await closed)[0], 7);
    t.equal(stdout.text().match(/interrupted/g)?.length, 1, stdout.text());
  },
  noTerminal,
);

onBothTransports('--until-idle: it ends by itself once the last client has gone', async (t, transport) => {
  await using stack = new AsyncDisposableStack();
  const sshd = stack.use(await startSshd());
  const port = await greet(stack);
  await using running = startViassh(
    ['forward', ...at(sshd, transport), '-L', `127.0.0.1:0:127.0.0.1:${port}`, '-NT', '--until-idle', '1'],
    { stdin: 'ignore' },
  );
  const stdout = overhear(running.stdout);
  const near = Number(/:(\d+) for/.exec(await stdout.until(/\n/))?.[1]);
  const client = connect({ host: '127.0.0.1', port: near });
  client.resume();
  await once(client, 'close');
  t.same(await running.exit, { code: 0, signal: null });
  t.equal(running.stderr(), '');
});

onTransport('openssh', 'SIGUSR1 shows a table of what passes, and ends nothing', async (t, transport) => {
  await using stack = new AsyncDisposableStack();
  const sshd = stack.use(await startSshd());
  const port = await greet(stack);
  await using running = startViassh(
    ['forward', ...at(sshd, transport), '-L', `127.0.0.1:0:127.0.0.1:${port}`, '-R', '0'],
    { stdin: 'ignore' },
  );
  const stdout = overhear(running.stdout);
  const near = Number(/:(\d+) for/.exec(await stdout.until(/\n.*\n/))?.[1]);
  const client = connect({ host: '127.0.0.1', port: near, allowHalfOpen: true });
  stack.defer(() => void client.destroy());
  await once(client, 'data');
  running.kill('SIGUSR1');
  const table = (): string => running.stderr();
  await waitUntil('the table', () => table().includes('as clients say'));
  t.match(table(), new RegExp(`^tcp:127\\.0\\.0\\.1:${near} -> 127\\.0\\.0\\.1:${port} +1 +1 +0 +0 +7$`, 'm'));
  t.match(table(), new RegExp(`^  127\\.0\\.0\\.1:${client.localPort} -> 127\\.0\\.0\\.1:${port} +0 +7 +\\d+ s$`, 'm'));
  t.notMatch(table(), /[Dd]ebugger/);
  running.kill('SIGTERM');
  t.same(await running.exit, { code: 143, signal: null });
});

/** A server of the far end that says `welcome` and its end. */
async function greet(stack: AsyncDisposableStack): Promise<number> {
  const server = createServer(
    { allowHalfOpen: true },
    (socket) => void socket.on('error', () => undefined).end('welcome'),
  );
  server.listen(0, '127.0.0.1');
  await once(server, 'listening');
  stack.defer(() => void server.close());
  return (server.address() as AddressInfo).port;
}
