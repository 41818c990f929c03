import { spawn } from 'node:child_process';
import { once } from 'node:events';
import { existsSync } from 'node:fs';
import { readFile, writeFile } from 'node:fs/promises';
import { type AddressInfo, connect, createServer, type Server, type Socket } from 'node:net';
import { join } from 'node:path';
import process from 'node:process';
import { findProgram, startSshd, type Sshd, waitUntil } from '@viassh/testing';
import type { Test } from 'tap';
import { assertFailure } from './assert-failure.ts';
import { onBothTransports, onTransport, skipWithoutSshd } from './both-transports.ts';
import { cutSessions } from './cut-sessions.ts';
import { at, cliFile, runtimeFolder, startViassh, surroundings, viassh } from './run-viassh.ts';

const noTerminal =
  skipWithoutSshd || ((await findProgram('script')) === undefined ? 'script (util-linux) is not installed' : false);

/** An SMTP server that greets: what stays in these tests is `smtp --listen`. */
async function greeter(t: Test): Promise<string> {
  const server: Server = createServer((client) => client.on('error', () => undefined).end('220 hello\r\n'));
  server.listen(0, '127.0.0.1');
  await once(server, 'listening');
  t.teardown(() => server.close());
  return `127.0.0.1:${(server.address() as AddressInfo).port}`;
}

function portOf(printed: string): number {
  return Number(/^listening on tcp:127\.0\.0\.1:(\d+)\r?$/m.exec(printed)?.[1]);
}

async function greeting(port: number): Promise<string> {
  let said = '';
  for await (const chunk of connect(port, '127.0.0.1').setEncoding('utf8')) said += String(chunk);
  return said;
}

/** Ends what stays, and waits until nothing of it is left. */
async function endNow(pid: number, signal: NodeJS.Signals = 'SIGTERM'): Promise<void> {
  process.kill(pid, signal);
  await waitUntil(`process ${pid} to end`, () => !existsSync(`/proc/${pid}`));
}

async function pidIn(file: string): Promise<number> {
  return Number(await readFile(file, 'utf8'));
}

for (const [signal, letter] of [
  ['SIGTERM', '--background'],
  ['SIGINT', '-f'],
] as const) {
  onBothTransports(
    `${letter} returns when all stands, and what stays survives a hangup and ends by ${signal}`,
    async (t, transport) => {
      await using sshd = await startSshd();
      const pidFile = join(sshd.folder, 'pid');
      await writeFile(pidFile, '1\n'); // of a run that is long over
      const options = ['--to', await greeter(t), '--listen', 'tcp:0', letter, '--pid-file', pidFile];
      const { code, stdout, stderr } = await viassh(['smtp', ...at(sshd, transport), ...options]);
      t.strictSame({ code, stderr }, { code: 0, stderr: '' });
      const port = portOf(stdout.toString());
      const pid = await pidIn(pidFile);
      t.equal(await greeting(port), '220 hello\r\n');
      process.kill(pid, 'SIGHUP');
      t.equal(await greeting(port), '220 hello\r\n', 'after the hangup');
      await endNow(pid, signal);
      t.notOk(existsSync(pidFile), 'the pid file goes with it');
    },
  );
}

onTransport('ssh2', 'a pipe that reads what it prints ends when it returns', async (t) => {
  await using sshd = await startSshd();
  const pidFile = join(sshd.folder, 'pid');
  const shell = `out=$("$@" 2>&1); echo "$? $out"`; // waits for everybody who holds its pipe
  const options = ['--to', await greeter(t), '--listen', 'tcp:0', '-f', '--pid-file', pidFile];
  const { stdout } = await viassh(['smtp', ...at(sshd, 'ssh2'), ...options], { shell });
  t.match(stdout.toString(), /^0 listening on tcp:/);
  await endNow(await pidIn(pidFile));
});

onTransport('ssh2', 'what it says later is in the file where stderr and stdout lead', async (t) => {
  await using sshd = await startSshd();
  const file = (name: string): string => join(sshd.folder, name);
  const args = ['forward', ...at(sshd, 'ssh2'), '-L', '0:127.0.0.1:1', '-f', '--pid-file', file('pid')];
  const start = (...more: string[]): ReturnType<typeof viassh> =>
    viassh([...args, ...more], { shell: '"$@" >>"$OUT" 2>>"$ERR"', env: { OUT: file('out'), ERR: file('err') } });
  const said = async (name: string, what: RegExp): Promise<RegExpExecArray> =>
    await waitUntil(
      `${name} to have ${String(what)}`,
      async () => what.exec(await readFile(file(name), 'utf8')) ?? undefined,
    );
  t.equal((await start()).code, 0);
  try {
    const [, port] = await said('out', /^listening on tcp:\S+:(\d+) /);
    connect(Number(port), '127.0.0.1')
      .on('error', () => undefined)
      .resume();
    await said('err', /^viassh: warning: .*not served/);
    process.kill(await pidIn(file('pid')), 'SIGUSR1');
    await said('err', /^FORWARD +OPEN/m);
  } finally {
    await endNow(await pidIn(file('pid')));
  }
  t.equal((await start('--json')).code, 0);
  try {
    process.kill(await pidIn(file('pid')), 'SIGUSR1');
    await said('out', /^\{"event":"listening".*\n\{"event":"status"/m);
  } finally {
    await endNow(await pidIn(file('pid')));
  }
});

onTransport('ssh2', 'with -v stderr stays, whatever it is, as with ssh', async (t) => {
  await using sshd = await startSshd();
  const pidFile = join(sshd.folder, 'pid');
  const options = ['-L', '0:127.0.0.1:1', '-f', '-v', '--pid-file', pidFile];
  await using running = startViassh(['forward', ...at(sshd, 'ssh2'), ...options]);
  running.stdout.resume();
  await waitUntil('it to stand', () => existsSync(pidFile));
  const pid = await pidIn(pidFile);
  await waitUntil('the first to return', () => !existsSync(`/proc/${running.pid}`));
  process.kill(pid, 'SIGUSR1');
  await waitUntil('the table', () => running.stderr().includes('ACCEPTED')).finally(() => endNow(pid));
  t.same(await running.exit, { code: 0, signal: null }, 'the pipe ends with it');
});

onBothTransports('what does not come up is told with its own error and exit code', async (t, transport) => {
  await using sshd = await startSshd();
  const [pidFile, taken] = [join(sshd.folder, 'pid'), createServer().listen(0, '127.0.0.1')];
  t.teardown(() => taken.close());
  await once(taken, 'listening');
  const listenOn = `tcp:${(taken.address() as AddressInfo).port}`;
  const run = (...args: string[]): ReturnType<typeof viassh> => runWith(pidFile, '--listen', ...args);
  const runWith = (file: string, ...args: string[]): ReturnType<typeof viassh> =>
    viassh(['smtp', ...at(sshd, transport), '--background', '--pid-file', file, ...args]);
  assertFailure(t, await run(listenOn), { error: 'LISTEN_FAILED', says: /another program listens/, hint: /./ });
  assertFailure(t, await run('tcp:0', '-o', 'HostName=no-such-host.invalid', '-o', 'ProxyCommand=none'), {
    error: 'HOST_NOT_FOUND',
    says: /invalid/,
  });
  t.notOk(existsSync(pidFile));
  for (const [name, reason] of [
    ['none/pid', 'ENOENT'],
    ['', 'EISDIR'],
  ] as const) {
    const nowhere = await runWith(join(sshd.folder, name), '--listen', 'tcp:0');
    t.equal(nowhere.code, 64);
    t.equal(nowhere.stdout.toString(), '', 'nothing is said to listen');
    t.match(nowhere.stderr, new RegExp(`--pid-file.*${reason}.*\n {2}hint: `));
  }
});

onTransport('ssh2', 'what ends by itself does not go into the background', async (t) => {
  for (const option of [['-f'], ['--background'], ['--pid-file', '/nowhere']]) {
    const { code, stderr } = await viassh(['smtp', 'host.invalid', ...option]);
    t.equal(code, 64);
    t.match(stderr, /--(?:background|pid-file) makes no sense here.*\n {2}hint: /);
  }
  const around = await viassh(['forward', 'host.invalid', '-f', '-L', '0:db:5432', '--for', '--', 'true']);
  t.equal(around.code, 64);
  t.match(around.stderr, /ends by itself, with .* its program \(USAGE\)\n {2}hint: /);
});

onBothTransports('a signal while it waits ends both, also one that nobody can catch', async (t, transport) => {
  const clients = new Set<Socket>();
  const silent = createServer((client) => {
    clients.add(
      client
        .resume()
        .on('error', () => undefined)
        .once('close', () => clients.delete(client)),
    );
  });
  silent.listen(0, '127.0.0.1');
  await once(silent, 'listening');
  t.teardown(() => silent.close());
  for (const signal of ['SIGTERM', 'SIGINT', 'SIGKILL'] as const) {
    await using running = startViassh([
      'smtp',
      '-F',
      'none',
      '--transport',
      transport,
      '-p',
      `${(silent.address() as AddressInfo).port}`,
      '127.0.0.1',
      '--listen',
      'tcp:0',
      '--background',
    ]);
    await waitUntil('it to dial', () => clients.size > 0);
    running.kill(signal);
    const { code } = await running.exit;
    t.equal(code, { SIGTERM: 143, SIGINT: 130, SIGKILL: null }[signal]);
    await waitUntil('it to hang up', () => clients.size === 0); // and tidyTest sees whether a process stays
  }
});

/** A terminal, as `script` makes one, in which sh runs a text with viassh's command line as `"$@"`. */
function atTerminal(text: string, args: readonly string[]): ReturnType<typeof spawn> {
  const words = [process.execPath, cliFile, ...args].map((word) => `'${word}'`).join(' ');
  return spawn('script', ['-qfec', `set -- ${words}; ${text}`, '/dev/null'], {
    env: { ...surroundings, VIASSH_RUNTIME_DIR: runtimeFolder, SHELL: '/bin/sh' },
    stdio: ['pipe', 'pipe', 'inherit'],
    detached: true,
  });
}

async function encrypted(sshd: Sshd): Promise<string> {
  const { file, publicKey } = await sshd.generateKey({ passphrase: 'open sesame' });
  await sshd.authorize(publicKey);
  return file;
}

onBothTransports(
  'it asks at the terminal before, and neither Ctrl-C there nor the end of the terminal ends it after',
  async (t, transport) => {
    await using sshd = await startSshd({ authorize: false, mode: 'listen' }); // a ProxyCommand would get the Ctrl-C
    const pidFile = join(sshd.folder, 'pid');
    const options = ['--to', await greeter(t), '--listen', 'tcp:0', '-f', '--pid-file', pidFile];
    const identity = ['-o', 'IdentitiesOnly=yes', '-i', await encrypted(sshd)];
    // The shell stays in the foreground, and what is in the background is of its process group.
    const text = `trap 'echo interrupted' INT; "$@" && echo "it stands"; while :; do read -r line; done`;
    const child = atTerminal(text, ['smtp', ...identity, ...at(sshd, transport), ...options]);
    const closed = once(child, 'close');
    let shown = '';
    child.stdout?.setEncoding('utf8').on('data', (chunk: string) => (shown += chunk));
    try {
      await waitUntil('the question', () => /passphrase/i.test(shown));
      child.stdin?.write('open sesame\n');
      await waitUntil('it to stand', () => shown.includes('it stands'));
      t.notMatch(shown, /sesame/);
      const port = portOf(shown);
      t.equal(await greeting(port), '220 hello\r\n');
      child.stdin?.write('\u0003');
      await waitUntil('the interrupt', () => shown.includes('interrupted'));
      t.equal(await greeting(port), '220 hello\r\n', 'after Ctrl-C');
      child.kill('SIGKILL');
      await closed;
      t.equal(await greeting(port), '220 hello\r\n', 'after the end of the terminal');
    } catch (error) {
      t.comment(shown);
      throw error;
    } finally {
      child.kill('SIGKILL');
      if (existsSync(pidFile)) await endNow(await pidIn(pidFile));
    }
  },
  noTerminal,
);

onBothTransports(
  'in the background it asks nobody: without its secret it ends, and the terminal hears nothing of it',
  async (t, transport) => {
    await using sshd = await startSshd({ authorize: false, mode: 'listen' });
    const pidFile = join(sshd.folder, 'pid');
    const log = join(sshd.folder, 'log');
    const identity = ['-o', 'IdentitiesOnly=yes', '-i', await encrypted(sshd)];
    const text = `"$@" 2>>'${log}' && echo "it stands"; read -r line; echo "typed $line"`;
    const options = ['-D', '0', '-f', '--pid-file', pidFile];
    const child = atTerminal(text, ['forward', ...identity, ...at(sshd, transport), ...options]);
    const closed = once(child, 'close');
    let shown = '';
    child.stdout?.setEncoding('utf8').on('data', (chunk: string) => (shown += chunk));
    try {
      await waitUntil('the question', () => /passphrase/i.test(shown));
      child.stdin?.write('open sesame\n');
      await waitUntil('it to stand', () => shown.includes('it stands'));
      const before = shown;
      const pid = await pidIn(pidFile);
      await cutSessions(sshd);
      await waitUntil('it to end', () => !existsSync(`/proc/${pid}`), { withinMs: 20_000 });
      child.stdin?.write('something\n');
      await closed;
      t.equal(shown.slice(before.length).replaceAll('\r', ''), 'something\ntyped something\n');
      t.match(await readFile(log, 'utf8'), /\((?:KEY_UNUSABLE|AUTH_FAILED)\)/);
    } finally {
      child.kill('SIGKILL');
      if (existsSync(pidFile)) await endNow(await pidIn(pidFile));
    }
  },
  noTerminal,
);
