import { existsSync } from 'node:fs';
import { readFile, writeFile } from 'node:fs/promises';
import type { AddressInfo } from 'node:net';
import { join } from 'node:path';
import process from 'node:process';
import { findProgram, type Sshd, startSshd, waitUntil } from '@viassh/testing';
import type { Test } from 'tap';
import { onBothTransports, onTransport, skipWithoutSshd, tidyTest } from './both-transports.ts';
import { cutSessions } from './cut-sessions.ts';
import { answering, answers, type Place, say, serve } from './forwarding.ts';
import { overhear } from './overheard.ts';
import { type Outcome, type RunningViassh, startViassh, viassh } from './run-viassh.ts';

const skipReal = skipWithoutSshd || ((await findProgram('autossh')) === undefined ? 'autossh is not installed' : false);

/** Who reads the same command line: autossh itself, and we in its place. */
interface Contestant {
  readonly name: string;
  readonly before: readonly string[];
  readonly shell: string | undefined;
}

const real: Contestant = { name: 'autossh', before: ['autossh'], shell: 'shift 2; exec "$@"' };

function ours(transport: string): Contestant {
  return { name: transport, before: ['--transport', transport, 'autossh'], shell: undefined };
}

/** The same test with autossh and with viassh on each transport. */
function onAll(name: string, body: (t: Test, contestant: Contestant) => Promise<void>): void {
  tidyTest(`autossh itself: ${name}`, (t) => body(t, real), skipReal);
  onBothTransports(name, (t, transport) => body(t, ours(transport)));
}

type Variables = Readonly<Record<string, string>>;

/** A loss soon after the start is none of a mistake. */
const noGate: Variables = { AUTOSSH_GATETIME: '0' };

function start({ before, shell }: Contestant, args: readonly string[], env: Variables = noGate): RunningViassh {
  const running = startViassh([...before, ...args], { shell, env, stdin: 'ignore' });
  return {
    ...running,
    async [Symbol.asyncDispose]() {
      running.kill('SIGTERM'); // killed, autossh would leave its ssh behind
      running.stdout.destroy();
      await running.exit;
    },
  };
}

function run({ before, shell }: Contestant, args: readonly string[], env: Variables = noGate): Promise<Outcome> {
  return viassh([...before, ...args], { shell, env });
}

/** sshd, and a server behind it that says `far: …`. */
async function route(stack: AsyncDisposableStack): Promise<{ sshd: Sshd; to: string; config: readonly string[] }> {
  const clientConfig = ['StreamLocalBindUnlink yes', 'ExitOnForwardFailure yes'];
  const sshd = stack.use(await startSshd({ mode: 'listen', clientConfig }));
  const far = await serve(stack, { host: '127.0.0.1', port: 0 }, answering('far'));
  return { sshd, to: `127.0.0.1:${(far.address() as AddressInfo).port}`, config: ['-F', sshd.configFile] };
}

async function untilServed(place: Place): Promise<void> {
  await waitUntil('it to serve', async () => (await say(place, 'one').catch(() => '')) === 'far: one', {
    withinMs: 20_000,
  });
}

onAll('-M 0 -N -L: it serves, serves again when its session was killed, and ends by SIGTERM', async (t, contestant) => {
  await using stack = new AsyncDisposableStack();
  const { sshd, to, config } = await route(stack);
  const place = { path: join(sshd.folder, 'near.sock') };
  const args = ['-M', '0', '-N', ...config, '-L', `${place.path}:${to}`, sshd.destination];
  const running = stack.use(start(contestant, args));
  await untilServed(place);
  await cutSessions(sshd);
  await untilServed(place);
  running.kill('SIGTERM');
  const { code, signal } = await running.exit;
  t.equal(signal, null);
  t.equal(code, contestant === real ? 1 : 143);
  t.notOk(await answers(place));
});

onAll('-f: it returns at once, and AUTOSSH_PIDFILE names what serves', async (t, contestant) => {
  await using stack = new AsyncDisposableStack();
  const { sshd, to, config } = await route(stack);
  const place = { path: join(sshd.folder, 'near.sock') };
  const pidFile = join(sshd.folder, 'pid');
  const env = { AUTOSSH_PIDFILE: pidFile, AUTOSSH_LOGFILE: join(sshd.folder, 'log') };
  const { code, stdout } = await run(
    contestant,
    [...config, '-M', '0', '-fN', '-L', `${place.path}:${to}`, sshd.destination],
    env,
  );
  t.strictSame({ code, stdout: stdout.toString() }, { code: 0, stdout: '' });
  await waitUntil('the pid file', () => existsSync(pidFile));
  const pid = Number(await readFile(pidFile, 'utf8'));
  try {
    await untilServed(place);
    process.kill(pid, 'SIGHUP');
    await cutSessions(sshd);
    await untilServed(place);
  } finally {
    process.kill(pid, 'SIGTERM');
    await waitUntil('it to end', () => !existsSync(`/proc/${pid}`));
  }
  t.notOk(existsSync(pidFile));
  t.match(await readFile(env.AUTOSSH_LOGFILE, 'utf8'), /^\d{4}\/\d\d\/\d\d \d\d:\d\d:\d\d autossh\[\d+\]: /);
});

onAll(
  'a first failure within the gate time is final; without one, so many starts and no more',
  async (t, contestant) => {
    await using stack = new AsyncDisposableStack();
    const { sshd, config } = await route(stack);
    await sshd.kill();
    const args = ['-M', '0', '-N', ...config, sshd.destination];
    const { code, stderr } = await run(contestant, args, {});
    t.equal(code, 1);
    t.equal(stderr.match(/connection refused|nothing listens/gi)?.length, 1, 'said once');
    t.equal((await run(contestant, args, { ...noGate, AUTOSSH_MAXSTART: '2' })).code, 0);
  },
);

onAll('a remote command: its end is the end, and it runs again when its session was killed', async (t, contestant) => {
  await using stack = new AsyncDisposableStack();
  const { sshd, config } = await route(stack);
  const args = (command: string): string[] => ['-M', '0', ...config, sshd.destination, command];
  const { code, stdout } = await run(contestant, args('echo done'));
  t.strictSame({ code, stdout: stdout.toString() }, { code: 0, stdout: 'done\n' });
  const mark = join(sshd.home, 'mark');
  const command = `echo run; if test -e mark; then echo again; else echo x >mark; exec sleep 100; fi`;
  const running = stack.use(start(contestant, args(command)));
  const heard = overhear(running.stdout);
  await waitUntil('it to run', () => existsSync(mark), { withinMs: 20_000 });
  await cutSessions(sshd);
  await heard.until(/run\nrun\nagain\n/);
  t.equal((await running.exit).code, 0);
});

onAll('forwards that only ssh_config knows stand as well, -R among them', async (t, contestant) => {
  await using stack = new AsyncDisposableStack();
  const { sshd, to, config } = await route(stack);
  const near = { path: join(sshd.folder, 'near.sock') };
  const far = { path: join(sshd.home, 'far.sock') };
  const text = await readFile(sshd.configFile, 'utf8');
  await writeFile(sshd.configFile, `${text}\n  LocalForward ${near.path} ${to}\n  RemoteForward ${far.path} ${to}\n`);
  stack.use(start(contestant, ['-M', '0', '-N', ...config, sshd.destination]));
  await untilServed(near);
  await untilServed(far);
  t.pass('both');
});

onAll('AUTOSSH_MAXLIFETIME ends it well', async (t, contestant) => {
  await using stack = new AsyncDisposableStack();
  const { sshd, config } = await route(stack);
  const args = ['-M', '0', '-N', ...config, sshd.destination];
  t.equal((await run(contestant, args, { ...noGate, AUTOSSH_MAXLIFETIME: '1' })).code, 0);
});

onTransport('ssh2', 'a month is no time that is over at once', async (t) => {
  await using stack = new AsyncDisposableStack();
  const { sshd, to, config } = await route(stack);
  const place = { path: join(sshd.folder, 'near.sock') };
  const month = { ...noGate, AUTOSSH_MAXLIFETIME: '2592000', AUTOSSH_POLL: '2592000' };
  const args = ['-v', '-v', '-M', '20000', '-N', ...config, '-L', `${place.path}:${to}`, sshd.destination];
  const running = stack.use(start(ours('ssh2'), args, month));
  await untilServed(place);
  running.kill('SIGTERM');
  t.equal((await running.exit).code, 143);
  t.notMatch(running.stderr(), /the poll|TimeoutOverflow/);
});

onTransport('ssh2', 'a monitor port is said once to be of no use; what is wrong is said, with 1', async (t) => {
  await using stack = new AsyncDisposableStack();
  const { sshd, to, config } = await route(stack);
  const place = { path: join(sshd.folder, 'near.sock') };
  const args = ['-M', '20000', '-g', '-N', '-C', ...config, '-L', `${place.path}:${to}`, sshd.destination];
  const running = stack.use(start(ours('ssh2'), args, { ...noGate, AUTOSSH_POLL: '1' }));
  await untilServed(place);
  t.match(running.stderr(), /^viassh: warning: no port 20000 is opened[^\n]*\n$/);
  running.kill('SIGTERM');
  await running.exit;
  const wrong: readonly (readonly [args: readonly string[], env: Variables, says: RegExp])[] = [
    [['-M', 'x', 'host.invalid'], {}, /-M wants PORT.*\(OPTION_INVALID\)\n {2}hint: /],
    [['-M', '0', '-N'], {}, /the host is missing.*\(USAGE\)\n {2}hint: /],
    [['-M', '0', '-NX', 'host.invalid'], {}, /cannot do -X.*\(CAPABILITY_MISSING\)\n {2}hint: autossh itself/],
    [['-M', '0', '-NL', '8080', 'host.invalid'], {}, /8080.*\(OPTION_INVALID\)\n {2}hint: /],
    [['-M', '0', '-N', 'host.invalid'], { AUTOSSH_POLL: 'soon' }, /AUTOSSH_POLL wants .*\n {2}hint: /],
    [['-M', '0', '-fN', 'host.invalid'], { AUTOSSH_PIDFILE: '/none/pid' }, /AUTOSSH_PIDFILE: .*\n {2}hint: /],
  ];
  for (const [words, env, says] of wrong) {
    const outcome = await run(ours('ssh2'), words, env);
    t.equal(outcome.code, 1, words.join(' '));
    t.match(outcome.stderr, says);
  }
  t.match((await run(ours('ssh2'), ['-V'])).stdout.toString(), /^viassh \d/);
});

onBothTransports(
  'a forward that cannot stand is a warning, as with ssh, unless ExitOnForwardFailure',
  async (t, transport) => {
    await using stack = new AsyncDisposableStack();
    const { sshd, to, config } = await route(stack);
    const taken = await serve(stack, { host: '127.0.0.1', port: 0 }, answering('other'));
    const place = { path: join(sshd.folder, 'near.sock') };
    const forwards = ['-L', `${(taken.address() as AddressInfo).port}:${to}`, '-L', `${place.path}:${to}`];
    const args = ['-M', '0', '-N', ...config, ...forwards, sshd.destination];
    const strict = await run(ours(transport), args);
    t.equal(strict.code, 1);
    t.match(strict.stderr, /\(LISTEN_FAILED\)/);
    const running = stack.use(start(ours(transport), ['-o', 'ExitOnForwardFailure=no', ...args]));
    await untilServed(place);
    t.match(running.stderr(), /warning: .*LISTEN_FAILED/);
  },
);
