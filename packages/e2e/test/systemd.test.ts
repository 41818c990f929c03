import { mkdir, readFile, writeFile } from 'node:fs/promises';
import type { AddressInfo } from 'node:net';
import { join } from 'node:path';
import { findProgram, freePort, type Sshd, startNotifySocket, startSshd, waitUntil } from '@viassh/testing';
import { assertFailure } from './assert-failure.ts';
import { onTransport, skipWithoutSshd, tidyTest } from './both-transports.ts';
import { answering, answers, say, serve } from './forwarding.ts';
import { commandsInPath, runProgram } from './run-program.ts';
import { viassh } from './run-viassh.ts';

const needs = async (...names: readonly string[]): Promise<string | false> => {
  const found = await Promise.all(names.map(async (name) => await findProgram(name)));
  const missing = names.filter((_, at) => found[at] === undefined);
  return missing.length > 0 ? `needs ${missing.join(', ')}` : skipWithoutSshd;
};

/** A user with a home of their own, and a tunnel on a socket and one on a port. */
interface Home {
  readonly env: Readonly<Record<string, string>>;
  readonly units: string;
  readonly socket: string;
  readonly port: number;
}

async function makeHome(sshd: Sshd, transport: string, to: string): Promise<Home> {
  const home = join(sshd.folder, 'caller');
  const run = join(home, 'run');
  await mkdir(run, { recursive: true, mode: 0o700 });
  const [config, port] = [join(home, 'config.yaml'), await freePort()];
  const tunnel = (rest: string): string => `{ via: ${sshd.destination}, ssh: [-F, ${sshd.configFile}], ${rest} }`;
  await writeFile(
    config,
    `tunnels:
  raw: ${tunnel("plugin: pipe, command: 'echo far; cat', listen: unix:raw.sock")}
  web: ${tunnel(`forward: local, listen: ${port}, to: ${to}`)}
`,
  );
  return {
    env: {
      HOME: home,
      XDG_RUNTIME_DIR: run,
      VIASSH_CONFIG: config,
      VIASSH_STATE_DIR: join(home, 'state'),
      VIASSH_TRANSPORT: transport,
    },
    units: join(home, '.config/systemd/user'),
    socket: join(run, 'viassh/raw.sock'),
    port,
  };
}

/** The environment of a run that is to look for its broker where a login of this user would. */
function asLogin(env: Readonly<Record<string, string>>): Record<string, string | undefined> {
  return { ...env, VIASSH_RUNTIME_DIR: undefined, XDG_CONFIG_HOME: undefined };
}

async function applySystemd(env: Home['env'], ...args: readonly string[]): Promise<void> {
  const printed = await runProgram('viassh', ['recipe', 'systemd', ...args], { env: asLogin(env) });
  const done = await runProgram('sh', ['-e'], { env: asLogin(env), input: printed.stdout });
  if (printed.code !== 0 || done.code !== 0) throw new Error(printed.stderr + done.stderr);
}

/** What is behind `NAME=` in a unit, in its order. */
function valuesOf(unit: string, name: string): readonly string[] {
  return unit.split('\n').flatMap((line) => (line.startsWith(`${name}=`) ? [line.slice(name.length + 1)] : []));
}

onTransport(
  'ssh2',
  'the units of the recipe are what systemd takes, and say where the tunnels listen',
  async (t, transport) => {
    await using sshd = await startSshd();
    const { env, units, port } = await makeHome(sshd, transport, '80');
    const etc = join(sshd.folder, 'etc');
    const system = { ...env, VIASSH_ETC: etc };
    for (const round of [1, 2]) {
      await applySystemd(env);
      await applySystemd(system, '--system-user', 'daemon');
      for (const [folder, flags] of [
        [units, ['--user']],
        [join(etc, 'systemd/system'), []],
      ] as const) {
        const files = ['viassh.service', 'viassh.socket'].map((name) => join(folder, name));
        const { code, stderr } = await runProgram('systemd-analyze', [...flags, 'verify', ...files], { env });
        t.equal(code, 0, `round ${round}: ${folder}: ${stderr}`);
        t.notMatch(stderr, /viassh\.s/, 'units of others may be in want of something');
      }
    }
    const own = await readFile(join(units, 'viassh.socket'), 'utf8');
    t.strictSame(valuesOf(own, 'ListenStream'), ['%t/viassh/raw.sock', `127.0.0.1:${port}`]);
    const machine = await readFile(join(etc, 'systemd/system/viassh.socket'), 'utf8');
    t.strictSame(valuesOf(machine, 'ListenStream'), ['/run/viassh/raw.sock', `127.0.0.1:${port}`]);
    t.strictSame(valuesOf(machine, 'SocketUser'), ['daemon']);
    for (const args of [
      ['--name', 'x'],
      ['--system-user', '../x'],
      ['--', '-L', '1:a:2'],
      ['you@host', '--system-user', 'x'],
    ])
      t.equal((await viassh(['recipe', 'systemd', ...args], { env: asLogin(env) })).code, 64, args.join(' '));
  },
  await needs('systemd-analyze'),
);

onTransport(
  'openssh',
  "systemd hears from the unit's own command: ready, reloading, signs of life, stopping",
  async (t, transport) => {
    await using stack = new AsyncDisposableStack();
    const sshd = stack.use(await startSshd({ mode: 'listen' }));
    const { env, units, socket } = await makeHome(sshd, transport, '80');
    await applySystemd(env);
    const unit = await readFile(join(units, 'viassh.service'), 'utf8');
    const [[start = ''], [reload = '']] = [valuesOf(unit, 'ExecStart'), valuesOf(unit, 'ExecReload')];
    const variables = valuesOf(unit, 'Environment');
    const notify = join(sshd.folder, 'notify');
    const { said } = stack.use(await startNotifySocket(notify));
    const asService = (line: string, more: readonly string[] = []): readonly string[] => {
      const { HOME, XDG_RUNTIME_DIR, VIASSH_TRANSPORT } = env;
      const login = [`HOME=${HOME}`, `XDG_RUNTIME_DIR=${XDG_RUNTIME_DIR}`, `VIASSH_TRANSPORT=${VIASSH_TRANSPORT}`];
      return ['-i', ...login, ...variables, ...more, ...line.replace(/^\/usr\/bin\/env /, '').split(' ')];
    };
    const running = runProgram('env', asService(start, [`NOTIFY_SOCKET=${notify}`, 'WATCHDOG_USEC=400000']));
    stack.defer(async () => {
      await viassh(['down'], { env: asLogin(env) });
      await running;
    });
    await waitUntil('it to be ready', () => said().some((line) => line.startsWith('READY=1|STATUS=2 tunnels up')), {
      withinMs: 20_000,
    });
    t.equal(await say({ path: socket }, 'one'), 'far\none');
    await waitUntil('signs of life', () => said().filter((line) => line.startsWith('WATCHDOG=1')).length >= 2);
    const second = await runProgram('env', asService(start, [`NOTIFY_SOCKET=${notify}`]));
    assertFailure(t, second, { error: 'BROKER_RUNNING' });
    const reloaded = await runProgram('env', asService(reload));
    t.equal(reloaded.code, 0, reloaded.stderr);
    const wrong = `${await readFile(env['VIASSH_CONFIG'] ?? '', 'utf8')}  wrong: { }\n`;
    await writeFile(env['VIASSH_CONFIG'] ?? '', wrong);
    t.not((await runProgram('env', asService(reload))).code, 0, 'systemd shows that nothing was taken in');
    const down = await viassh(['down'], { env: asLogin(env) });
    t.equal(down.code, 0, down.stderr);
    t.equal((await running).code, 0);
    t.match(
      said().filter((line) => !line.startsWith('WATCHDOG')),
      [/^READY=1/, /^RELOADING=1/, /^READY=1/, /^RELOADING=1/, /^READY=1/, /^STOPPING=1/],
    );
  },
  await needs('systemd-notify', 'perl'),
);

onTransport(
  'ssh2',
  'sockets that systemd listens on: the first client starts the broker, and is served',
  async (t, transport) => {
    await using stack = new AsyncDisposableStack();
    const sshd = stack.use(await startSshd({ mode: 'listen' }));
    const far = await serve(stack, { host: '127.0.0.1', port: 0 }, answering('far'));
    const to = `127.0.0.1:${(far.address() as AddressInfo).port}`;
    const { env, socket, port } = await makeHome(sshd, transport, to);
    await mkdir(join(socket, '..'), { mode: 0o700 });
    const settings = Object.entries({ ...env, PATH: commandsInPath }).flatMap(([name, value]) => [
      '-E',
      `${name}=${value}`,
    ]);
    const activate = ['-l', socket, '-l', `127.0.0.1:${port}`, ...settings, 'viassh', '-v', 'up'];
    const running = runProgram('systemd-socket-activate', activate);
    stack.defer(async () => {
      await viassh(['down'], { env: asLogin(env) });
      await running;
    });
    await waitUntil('systemd to listen', () => answers({ host: '127.0.0.1', port }), { withinMs: 20_000 });
    t.equal(await say({ path: socket }, 'one'), 'far\none');
    t.equal(await say({ host: '127.0.0.1', port }, 'two'), 'far: two');
    const pipe = ['pipe', '-F', sshd.configFile, sshd.destination, '--', 'echo "LISTEN: $LISTEN_FDS$LISTEN_PID"'];
    t.equal((await viassh(pipe, { env: asLogin(env) })).stdout.toString(), 'LISTEN: \n');
    t.equal((await viassh(['down'], { env: asLogin(env) })).code, 0);
    const { code, stderr } = await running;
    t.equal(code, 0, stderr);
    t.match(stderr, /the service manager listens on unix:.*raw\.sock for us/);
    t.match(stderr, new RegExp(`the service manager listens on tcp:127\\.0\\.0\\.1:${port} for us`));
  },
  await needs('systemd-socket-activate'),
);

tidyTest(
  'the agent of launchd is a property list with what launchd wants',
  async (t) => {
    const home = t.testdir({});
    const env = { HOME: home, VIASSH_CONFIG: '/etc/a & <b>.yaml', VIASSH_RUNTIME_DIR: undefined };
    const printed = await runProgram('viassh', ['recipe', 'launchd'], { env });
    t.equal(printed.code, 0, printed.stderr);
    const done = await runProgram('sh', ['-e'], { env, input: printed.stdout });
    t.equal(done.code, 0, done.stderr);
    const read = 'import json, plistlib, sys; print(json.dumps(plistlib.load(open(sys.argv[1], "rb"))))';
    const plist = join(home, 'Library/LaunchAgents/viassh.plist');
    const { code, stdout, stderr } = await runProgram('python3', ['-c', read, plist], { env });
    t.equal(code, 0, stderr);
    t.match(JSON.parse(stdout.toString()), {
      Label: 'viassh',
      ProgramArguments: ['/bin/sh', '-c', /^exec \S+ up 2>>"\$HOME\/Library\/Logs\/viassh\.log"$/],
      EnvironmentVariables: { PATH: /:\/usr\/bin/, VIASSH_CONFIG: env.VIASSH_CONFIG },
      RunAtLoad: true,
      KeepAlive: { SuccessfulExit: false },
      Umask: 0o77,
    });
    t.equal((await viassh(['recipe', 'launchd', 'you@host'], { env })).code, 64);
  },
  await needs('python3'),
);
