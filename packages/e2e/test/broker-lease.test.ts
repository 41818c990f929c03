import { once } from 'node:events';
import { copyFile, stat } from 'node:fs/promises';
import { existsSync } from 'node:fs';
import { connect } from 'node:net';
import { join } from 'node:path';
import { startSshd, waitUntil } from '@viassh/testing';
import { onBothTransports, onTransport } from './both-transports.ts';
import { brokerCaller } from './broker-caller.ts';
import { say } from './forwarding.ts';
import { overhear } from './overheard.ts';
import { type RunningViassh, startViassh, viassh } from './run-viassh.ts';

const gone = (pid: number): Promise<true> => waitUntil(`process ${pid} to end`, () => !existsSync(`/proc/${pid}`));

/** The process id that the far end's `echo $$` gave. */
async function farPid({ stdout }: RunningViassh): Promise<number> {
  const [line] = (await once(stdout, 'data')) as [Buffer];
  stdout.resume();
  return Number(line.toString());
}

onBothTransports('a command ends over a broker as it ends without one', async (t, transport) => {
  await using stack = new AsyncDisposableStack();
  const { sshd, to, env, configure, up, logins } = await brokerCaller(stack, transport);
  await configure({ web: `forward: local, listen: unix:near.sock, to: ${to}, lazy: false` });
  await up();
  await waitUntil('the login', async () => (await logins()) === 1, { withinMs: 20_000 });
  const commands = [
    'echo out; echo err >&2; exit 7',
    'kill -TERM $$',
    'kill -KILL $$',
    'wc -c; echo "behind the end" >&2', // the far end sees our end, and goes on
    'exec <&-; echo "hears nothing"',
    'head -c 3000000 /dev/zero | md5sum; exit 1',
    'viassh-has-no-such-command',
    "printf '%s|' 'a  b' \"$HOME\" é",
  ];
  const input = Buffer.alloc(1_000_000, 'x');
  const each = async (...more: string[]): Promise<unknown[]> =>
    await Promise.all(
      commands.map(async (command) => {
        const args = ['pipe', ...more, '-F', sshd.configFile, sshd.destination, '--', command];
        const { code, signal, stdout, stderr } = await viassh(args, { env, input });
        return { command, code, signal, stdout: stdout.toString(), stderr };
      }),
    );
  const lent = await each();
  t.equal(await logins(), 1);
  t.strictSame(lent, await each('--no-broker'));
  t.equal(await logins(), 1 + commands.length);
});

onBothTransports('Ctrl-C ends a command over a broker and what it runs there; others go on', async (t, transport) => {
  await using stack = new AsyncDisposableStack();
  const { sshd, to, runtime, env, configure, up, logins } = await brokerCaller(stack, transport);
  await configure({ web: `forward: local, listen: unix:near.sock, to: ${to}, lazy: false` });
  await up();
  const start = (): RunningViassh =>
    startViassh(['pipe', '-F', sshd.configFile, sshd.destination, '--', 'echo $$; exec cat'], { env });
  await using other = start();
  const heard = overhear(other.stdout);
  await heard.until(/\n/);
  await using running = start();
  const pid = await farPid(running);
  running.kill('SIGINT');
  t.strictSame(await running.exit, { code: 130, signal: null });
  await gone(pid);
  t.equal(await say({ path: join(runtime, 'near.sock') }, 'on'), 'far: on');
  other.stdin.end('still here');
  t.strictSame(await other.exit, { code: 0, signal: null });
  t.match(heard.text(), /\nstill here$/);
  t.equal(await logins(), 1);
});

onBothTransports(
  'a broker is killed: the command that rides on it says so; the next one connects itself, and another broker starts',
  async (t, transport) => {
    await using stack = new AsyncDisposableStack();
    const { sshd, to, runtime, env, configure, run, up, logins } = await brokerCaller(stack, transport);
    await configure({ web: `forward: local, listen: unix:near.sock, to: ${to}, lazy: false` });
    const broker = await up();
    const words = ['-F', sshd.configFile, sshd.destination, '--'];
    await using running = startViassh(['pipe', ...words, 'echo $$; exec cat'], { env });
    const pid = await farPid(running);
    t.equal(await logins(), 1);
    broker.kill('SIGKILL');
    t.equal((await running.exit).code, 255);
    t.match(running.stderr(), /the broker that lent us the connection went away \(CONNECTION_LOST\)/);
    await gone(pid);
    t.ok((await stat(join(runtime, 'control.sock'))).isSocket(), 'it could not tidy up');
    t.equal((await run('pipe', ...words, 'exit 6')).code, 6);
    t.equal((await run('rsh', ...words.slice(0, 3), 'exit 5')).code, 5);
    t.equal(await logins(), 3);
    await up();
    await waitUntil('its login', async () => (await logins()) === 4, { withinMs: 20_000 });
    t.equal((await run('pipe', ...words, 'exit 4')).code, 4);
    t.equal(await logins(), 4);
  },
);

onBothTransports(
  'a broker ends in order: the command that rides on it hears that the broker closed the connection',
  async (t, transport) => {
    await using stack = new AsyncDisposableStack();
    const { sshd, env, run, up } = await brokerCaller(stack, transport);
    const broker = await up();
    await using running = startViassh(['pipe', '-F', sshd.configFile, sshd.destination, '--', 'echo $$; exec cat'], {
      env,
    });
    const pid = await farPid(running);
    t.match((await run('status')).stdout.toString(), sshd.destination, 'it rides on it');
    t.equal((await run('down')).code, 0);
    t.strictSame(await running.exit, { code: 255, signal: null });
    t.match(running.stderr(), /the broker closed the connection \(CONNECTION_LOST\)/);
    await gone(pid);
    t.strictSame(await broker.exit, { code: 0, signal: null });
  },
);

onTransport('ssh2', "nobody gets a connection that was made with somebody else's key or name", async (t, transport) => {
  await using stack = new AsyncDisposableStack();
  const { sshd, to, configure, run, up, logins } = await brokerCaller(stack, transport);
  await configure({ web: `forward: local, listen: unix:near.sock, to: ${to}, lazy: false` });
  await up();
  await waitUntil('the login', async () => (await logins()) === 1, { withinMs: 20_000 });
  const other = join(sshd.folder, 'other_key');
  await copyFile(sshd.identityFile, other);
  const pipe = (...more: string[]): ReturnType<typeof run> =>
    run('pipe', '-F', sshd.configFile, ...more, sshd.destination, '--', 'exit 0');
  t.equal((await pipe('-i', other)).code, 0);
  t.equal(await logins(), 2);
  await pipe('-l', 'nobody'); // who has no shell there
  t.equal(await logins(), 3);
  for (const more of [
    ['-o', 'BatchMode=yes'],
    ['-o', 'LogLevel=ERROR'],
    ['-p', String(sshd.port)],
    ['-l', sshd.user],
  ])
    t.equal((await pipe(...more)).code, 0);
  t.equal(await logins(), 3, 'what is no other login is lent');
});

onBothTransports(
  'a command over a broker has its own SendEnv there, and not that of the broker',
  async (t, transport) => {
    await using stack = new AsyncDisposableStack();
    const given = stack.use(await startSshd({ mode: 'listen', config: ['AcceptEnv VIASSH_*'] }));
    const { sshd, env, configure, up, logins, runtime } = await brokerCaller(stack, transport, given);
    const [listen, command] = ['unix:raw.sock', "'echo $VIASSH_WORD'"];
    await configure({
      raw: `plugin: pipe, listen: ${listen}, command: ${command}, ssh: [-F, ${sshd.configFile}, -o, SetEnv=VIASSH_WORD=ours]`,
    });
    await up();
    const place = join(runtime, 'raw.sock');
    await waitUntil('the raw endpoint', () => existsSync(place));
    const raw = overhear(connect(place));
    await raw.until(/^ours\n/);
    const args = [
      'pipe',
      '-F',
      sshd.configFile,
      '-o',
      'SendEnv=VIASSH_WORD',
      sshd.destination,
      '--',
      'echo "<$VIASSH_WORD>"',
    ];
    for (const [word, said] of [
      ['mine', '<mine>\n'],
      [undefined, '<>\n'],
    ] as const) {
      const { stdout } = await viassh(args, { env: { ...env, VIASSH_WORD: word } });
      t.equal(stdout.toString(), said);
    }
    t.equal(await logins(), 1);
  },
);
