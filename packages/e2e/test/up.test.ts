import { once } from 'node:events';
import { existsSync } from 'node:fs';
import { chmod, chown, mkdir, readdir, readFile, stat, writeFile } from 'node:fs/promises';
import { type IncomingMessage, request } from 'node:http';
import { join } from 'node:path';
import process from 'node:process';
import { text } from 'node:stream/consumers';
import { startSshd, waitUntil } from '@viassh/testing';
import { assertFailure } from './assert-failure.ts';
import { onBothTransports, onTransport } from './both-transports.ts';
import { brokerCaller } from './broker-caller.ts';
import { cutSessions } from './cut-sessions.ts';
import { answers, say } from './forwarding.ts';
import { overhear } from './overheard.ts';
import { type Outcome, startViassh } from './run-viassh.ts';

onBothTransports('up, status, a loss, logs, reload and down: tunnels of a file are kept up', async (t, transport) => {
  await using stack = new AsyncDisposableStack();
  const { sshd, to, runtime, configure, run, up } = await brokerCaller(stack, transport);
  const [near, far] = [join(runtime, 'near.sock'), join(sshd.home, 'far.sock')];
  await configure({
    here: `forward: local, listen: unix:near.sock, to: ${to}`,
    there: `forward: remote, listen: ${far}, to: ${to}`,
  });
  const broker = await up();
  await waitUntil('the far end to listen', () => answers({ path: far }), { withinMs: 20_000 });
  t.equal(await say({ path: near }, 'one'), 'far: one');
  const json = async (): Promise<{ connections: { state: string; ups: number }[]; tunnels: { state: string }[] }> =>
    JSON.parse((await run('status', '--json')).stdout.toString());
  t.match(await json(), { connections: { length: 1 }, tunnels: [{ state: 'up' }, { state: 'up' }] });
  t.match((await run('status')).stdout.toString(), /^here +up +\d+s +forward /m);
  await cutSessions(sshd);
  t.equal(await say({ path: near }, 'two'), 'far: two', 'who comes meanwhile waits');
  await waitUntil('the far end to listen again', () => answers({ path: far }), { withinMs: 20_000 });
  t.match(await json(), { connections: [{ state: 'up', ups: 2 }] });
  t.match((await run('logs', 'here')).stdout.toString(), /CONNECTION_LOST/);
  await configure({ here: `forward: local, listen: unix:other.sock, to: ${to}` });
  const reloaded = await run('reload');
  t.equal(reloaded.code, 0, reloaded.stderr);
  await waitUntil('the other place', () => answers({ path: join(runtime, 'other.sock') }));
  t.notOk(await answers({ path: far }));
  const down = await run('down');
  t.equal(down.code, 0, down.stderr);
  t.strictSame(await broker.exit, { code: 0, signal: null });
  t.notOk(existsSync(join(runtime, 'other.sock')));
});

onTransport(
  'ssh2',
  'up a second time tells the broker that runs; one tunnel goes down and comes up',
  async (t, transport) => {
    await using stack = new AsyncDisposableStack();
    const { to, runtime, configure, run, up } = await brokerCaller(stack, transport);
    const near = { path: join(runtime, 'near.sock') };
    await configure({ web: `forward: local, listen: unix:near.sock, to: ${to}` });
    const broker = await up();
    t.match((await run('up', 'web')).stdout.toString(), /^web: up, listening on /);
    t.match((await run('down', 'web')).stdout.toString(), /^web: down/);
    t.notOk(await answers(near));
    t.equal((await run('up')).code, 0);
    t.equal(await say(near, 'back'), 'far: back');
    assertFailure(t, await run('up', 'mail'), { error: 'TUNNEL_UNKNOWN', code: 64 });
    assertFailure(t, await run('status', 'mail'), { error: 'TUNNEL_UNKNOWN', code: 64 });
    broker.kill('SIGTERM');
    t.strictSame(await broker.exit, { code: 143, signal: null });
    t.notOk(existsSync(join(runtime, 'control.sock')));
  },
);

onTransport(
  'ssh2',
  'a configuration that is wrong: every fault by its line, and a reload changes nothing',
  async (t, transport) => {
    await using stack = new AsyncDisposableStack();
    const { to, runtime, configure, run, up } = await brokerCaller(stack, transport);
    const near = { path: join(runtime, 'near.sock') };
    await configure({ one: 'forward: sideways, listen: 1', two: 'plugin: imapp' });
    const wrong = await run('up');
    t.not(wrong.code, 0);
    t.match(wrong.stderr, /config\.yaml has 2 faults: 2:\d+ tunnels\.one\.forward: .*; 3:\d+ tunnels\.two\.plugin: /);
    await configure({ web: `forward: local, listen: unix:near.sock, to: ${to}` });
    await up();
    await waitUntil('it to listen', () => answers(near));
    await configure({ one: 'forward: sideways, listen: 1' });
    assertFailureCode(t, await run('reload'), /CONFIG_INVALID/);
    t.equal(await say(near, 'still'), 'far: still');
  },
);

onTransport('openssh', 'a broker asks nobody: not the SSH_ASKPASS that it was started with', async (t, transport) => {
  await using stack = new AsyncDisposableStack();
  const sshd = stack.use(await startSshd({ mode: 'listen', authorize: false }));
  const { to, env, configure, run } = await brokerCaller(stack, transport, sshd);
  const key = await sshd.generateKey({ passphrase: 'open sesame' });
  await sshd.authorize(key.publicKey);
  const [askpass, mark] = [join(sshd.folder, 'askpass'), join(sshd.folder, 'asked')];
  await writeFile(askpass, `#!/bin/sh\n: >'${mark}'\necho 'open sesame'\n`, { mode: 0o755 });
  const ssh = `ssh: [-F, ${sshd.configFile}, -i, ${key.file}]`;
  await configure({ web: `forward: remote, listen: ${join(sshd.home, 'far.sock')}, to: ${to}, ${ssh}` });
  const broker = startViassh(['up'], {
    env: { ...env, SSH_ASKPASS: askpass, SSH_ASKPASS_REQUIRE: 'force' },
    stdin: 'ignore',
  });
  stack.use(broker);
  let status: { tunnels?: { state: string }[] } = {};
  await waitUntil(
    'the tunnel to be up or to fail',
    async () => {
      const { stdout } = await run('status', '--json');
      status = JSON.parse(stdout.toString() || '{}');
      return /^(?:up|failed)$/.test(status.tunnels?.[0]?.state ?? '');
    },
    { withinMs: 20_000 },
  );
  t.match(status, { tunnels: [{ state: 'failed', lastError: { code: 'AUTH_FAILED' } }] });
  t.notOk(existsSync(mark), 'nothing was asked');
  await run('down');
  await broker.exit;
});

onTransport(
  'ssh2',
  'what tunnels say is in log files, for this user alone, also after the end',
  async (t, transport) => {
    await using stack = new AsyncDisposableStack();
    const { to, state, configure, run, up } = await brokerCaller(stack, transport);
    await configure({ web: `forward: local, listen: unix:near.sock, to: ${to}` });
    const broker = await up();
    t.equal((await run('up', 'web')).code, 0);
    const said = (await run('logs', 'web')).stdout.toString();
    t.match(said, /listening on /);
    t.equal((await run('down')).code, 0);
    await broker.exit;
    t.notMatch(broker.stderr(), /log files/);
    const folder = join(state, 'log');
    t.ok((await readdir(folder)).includes('web.log'));
    const [{ mode }, { mode: ofFile }] = await Promise.all([stat(folder), stat(join(folder, 'web.log'))]);
    t.strictSame([mode & 0o777, ofFile & 0o777], [0o700, 0o600]);
    t.ok((await readFile(join(folder, 'web.log'), 'utf8')).startsWith(said));
  },
);

onTransport('ssh2', 'no folder for log files: said once, and the tunnels stand', async (t, transport) => {
  await using stack = new AsyncDisposableStack();
  const { to, runtime, state, configure, run, up } = await brokerCaller(stack, transport);
  await configure({ web: `forward: local, listen: unix:near.sock, to: ${to}` });
  await writeFile(state, 'in its place');
  const broker = await up();
  t.equal((await run('up', 'web')).code, 0);
  t.equal(await say({ path: join(runtime, 'near.sock') }, 'one'), 'far: one');
  t.equal((await run('down')).code, 0);
  await broker.exit;
  const warnings = broker.stderr().match(/no log files are written: .*state\/log cannot be made \(ENOTDIR\); .*/g);
  t.equal(warnings?.length, 1, broker.stderr());
});

onTransport('ssh2', 'a configuration that others may write is not read: it can name commands', async (t, transport) => {
  await using stack = new AsyncDisposableStack();
  const { sshd, configure, run, up } = await brokerCaller(stack, transport);
  const file = join(sshd.folder, 'config.yaml');
  await configure({ web: `forward: local, listen: unix:near.sock, to: ${sshd.destination}:1` });
  for (const mode of [0o602, 0o620]) {
    await chmod(file, mode);
    assertFailureCode(
      t,
      await run('up'),
      /others than you may write to .*config\.yaml \(mode 06[02]{2}\) \(CONFIG_INVALID\)/,
    );
  }
  if (process.getuid?.() === 0) {
    await chmod(file, 0o600);
    await chown(file, 65534, 65534);
    assertFailureCode(t, await run('up'), /belongs to another user \(uid 65534\) \(CONFIG_INVALID\)/);
    await chown(file, 0, 0);
  }
  await chmod(file, 0o600);
  await up();
  await chmod(file, 0o602);
  assertFailureCode(t, await run('reload'), /CONFIG_INVALID/);
});

onTransport('ssh2', 'no broker, a folder that others may write to: said, and what to do', async (t, transport) => {
  await using stack = new AsyncDisposableStack();
  const { runtime, run } = await brokerCaller(stack, transport);
  for (const command of ['status', 'down', 'logs', 'reload'])
    assertFailure(t, await run(command), { error: 'BROKER_ABSENT' });
  await mkdir(runtime, { recursive: true });
  await chmod(runtime, 0o770);
  assertFailure(t, await run('up'), { error: 'FOLDER_UNSAFE' });
});

onTransport(
  'ssh2',
  'up -f returns when the tunnels stand; logs -f and status --watch go on until a signal',
  async (t, transport) => {
    await using stack = new AsyncDisposableStack();
    const { to, runtime, configure, run, start } = await brokerCaller(stack, transport);
    const near = { path: join(runtime, 'near.sock') };
    await configure({ web: `forward: local, listen: unix:near.sock, to: ${to}` }, 'metrics: unix:metrics.sock\n');
    stack.defer(async () => void (await run('down')));
    const up = await run('up', '-f');
    t.equal(up.code, 0, up.stderr);
    t.equal(await say(near, 'one'), 'far: one');
    const metrics = request({ socketPath: join(runtime, 'metrics.sock'), path: '/metrics' }).end();
    const [response] = (await once(metrics, 'response')) as [IncomingMessage];
    t.match(await text(response), /^viassh_tunnel_up\{name="web",.*\} 1$/m);
    for (const args of [
      ['logs', '-f'],
      ['status', '--watch', '--json'],
    ]) {
      const running = stack.use(start(...args));
      const heard = overhear(running.stdout);
      await heard.until(/web/);
      running.kill('SIGINT');
      t.strictSame(await running.exit, { code: 130, signal: null });
      t.equal(running.stderr(), '');
    }
  },
);

function assertFailureCode(t: Parameters<typeof assertFailure>[0], { code, stderr }: Outcome, says: RegExp): void {
  t.not(code, 0);
  t.match(stderr, says);
}

onBothTransports('commands ride on the connection of the broker: one login for all of them', async (t, transport) => {
  await using stack = new AsyncDisposableStack();
  const { sshd, to, configure, run, up, logins } = await brokerCaller(stack, transport);
  const pipe = (...args: string[]): Promise<Outcome> =>
    run('pipe', '-F', sshd.configFile, ...args.slice(0, -1), sshd.destination, '--', args.at(-1) ?? '');
  await configure({ web: `forward: local, listen: unix:near.sock, to: ${to}, lazy: false` });
  await up();
  await waitUntil('the login', async () => (await logins()) === 1, { withinMs: 20_000 });
  const first = await pipe('echo out; echo err >&2; exit 7');
  t.strictSame(
    { code: first.code, stdout: first.stdout.toString(), stderr: first.stderr },
    { code: 7, stdout: 'out\n', stderr: 'err\n' },
  );
  t.equal((await pipe('kill -TERM $$')).code, 143);
  t.equal((await run('imap', '-F', sshd.configFile, sshd.destination, '--', 'echo "* PREAUTH hello"')).code, 0);
  t.equal((await run('rsh', '-F', sshd.configFile, sshd.destination, 'exit 6')).code, 6);
  t.equal(await logins(), 1);
  t.equal((await run('--no-broker', 'rsh', '-F', sshd.configFile, sshd.destination, 'exit 5')).code, 5);
  t.equal(await logins(), 2, 'on its own');
  t.equal((await pipe('-o', 'ServerAliveCountMax=7', 'exit 3')).code, 3);
  t.equal(await logins(), 3, 'what decides about the connection is not equal');
  t.equal((await pipe('--no-broker', 'exit 4')).code, 4);
  t.equal(await logins(), 4);
});
