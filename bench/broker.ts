import { type ChildProcess, spawn } from 'node:child_process';
import { once } from 'node:events';
import { open, writeFile } from 'node:fs/promises';
import { connect } from 'node:net';
import { join } from 'node:path';
import { setTimeout as delay } from 'node:timers/promises';
import { findProgram, type Sshd } from '@viassh/testing';
import { ended, type Program, rshProgram, sshProgram, start, timed, viasshAlone, viasshProgram } from './programs.ts';
import { firstByte } from './one-shot.ts';
import type { Contestant, Race } from './race.ts';
import { shared } from './shared.ts';
import { startMaster } from './ssh-link.ts';

/** What the races are about. */
export interface BrokerOptions {
  readonly sshd: Sshd;
  /** Far away by `rttMs`. */
  readonly far: { readonly sshd: Sshd; readonly rttMs: number };
  readonly bytes: number;
  readonly repetitions: number;
  /** A file of `bytes` bytes. */
  readonly file: string;
}

const gcm = ['-o', 'Ciphers=aes128-gcm@openssh.com'];
const greeting = 'echo "* PREAUTH hello"; cat';

/** One login for many commands: a broker beside a ControlMaster, and beside a program that logs in by itself. */
export function brokerRaces(
  servers: AsyncDisposableStack,
  { sshd, far, bytes, repetitions, file }: BrokerOptions,
): Race[] {
  const transports = ['openssh', 'ssh2'] as const;
  const alone = sshProgram(sshd, gcm);
  const near = shared(async () => {
    const socket = await startMaster(servers, sshd, 'near-control', gcm);
    const brokers = await Promise.all(
      transports.map(async (transport) => ({
        transport,
        broker: await startBroker(servers, sshd, transport, 'near'),
      })),
    );
    return {
      master: { ...sshProgram(sshd, [...gcm, '-S', socket]), name: 'ssh -S' },
      leased: brokers.map(({ transport, broker }) => onBroker(viasshProgram(sshd, transport, gcm), broker)),
      shells: brokers.map(({ transport, broker }) =>
        onBroker({ name: `viassh-ssh, ${transport}`, ...remoteShell(sshd) }, broker),
      ),
    };
  });
  const distant = shared(async () => ({
    master: sshProgram(far.sshd, ['-S', await startMaster(servers, far.sshd, 'far-control', gcm)]),
    brokers: await Promise.all(
      transports.map(async (transport) => ({
        transport,
        socket: (await startBroker(servers, far.sshd, transport, 'far')).socket,
      })),
    ),
  }));
  const all = async (): Promise<Program[]> => {
    const { master, leased, shells } = await near();
    return [master, alone, ...leased, ...shells];
  };
  const carrying = async (): Promise<Program[]> => {
    const { master, leased } = await near();
    return [alone, master, ...leased];
  };
  return [
    {
      title: 'broker, whole process',
      repetitions: repetitions * 3,
      contestants: async () => (await all()).map(whole),
    },
    {
      title: 'broker, start to first byte',
      repetitions: repetitions * 3,
      contestants: async () => (await all()).map(firstByte),
    },
    {
      title: 'broker, bulk down',
      repetitions,
      bytes,
      contestants: async () =>
        (await carrying()).map((program) => ({
          name: program.name,
          run: () => timed(() => ended(program, start(program, `head -c ${bytes} /dev/zero`, 'ignore', 'ignore'))),
        })),
    },
    {
      title: 'broker, bulk up',
      repetitions,
      bytes,
      contestants: async () =>
        (await carrying()).map((program) => ({
          name: program.name,
          async run() {
            await using input = await open(file);
            return await timed(() => ended(program, start(program, 'cat >/dev/null', input.fd, 'ignore')));
          },
        })),
    },
    {
      title: `broker, greeting at ${far.rttMs} ms RTT`,
      repetitions: repetitions * 2,
      rttMs: far.rttMs,
      contestants: async () => {
        const { master, brokers } = await distant();
        const hasNc = (await findProgram('nc')) !== undefined;
        return [
          firstLine('ssh -S', far.rttMs, () => spawn(master.file, [...master.args, greeting])),
          ...brokers.flatMap(({ transport, socket }) => [
            ...(hasNc ? [firstLine(`nc -U, ${transport}`, far.rttMs, () => spawn('nc', ['-U', socket]))] : []),
            {
              name: `a client's socket, ${transport}`,
              async run() {
                await delay(far.rttMs * 3);
                const before = performance.now();
                const client = connect(socket);
                await once(client, 'data');
                const took = performance.now() - before;
                client.destroy();
                return took;
              },
            },
          ]),
        ];
      },
    },
  ];
}

/** What the search for a broker costs who finds none, or none that lives. */
export function noBrokerRaces(servers: AsyncDisposableStack, sshd: Sshd, repetitions: number): Race[] {
  const rsh = { name: 'viassh-ssh', ...remoteShell(sshd) };
  return [
    {
      title: 'no broker, whole process',
      repetitions: repetitions * 3,
      contestants: async () => {
        const dead = await startBroker(servers, sshd, 'openssh', 'dead');
        await dead.kill();
        return [
          sshProgram(sshd),
          { ...rsh, name: 'viassh-ssh, VIASSH_BROKER=no', env: { VIASSH_BROKER: 'no' } },
          { ...rsh, name: 'viassh-ssh, no socket', env: {} },
          { ...rsh, name: 'viassh-ssh, a dead socket', env: { VIASSH_RUNTIME_DIR: dead.runtime } },
        ].map(whole);
      },
    },
  ];
}

function whole(program: Program): Contestant {
  return {
    name: program.name,
    run: () => timed(() => ended(program, start(program, 'true', 'ignore', 'ignore'))),
  };
}

interface RunningBroker {
  readonly runtime: string;
  /** The raw endpoint. */
  readonly socket: string;
  /** It leaves its socket behind. */
  kill(): Promise<void>;
}

async function startBroker(
  servers: AsyncDisposableStack,
  { destination, configFile, folder }: Sshd,
  transport: string,
  name: string,
): Promise<RunningBroker> {
  const runtime = join(folder, `${name}-${transport}`);
  const config = `${runtime}.yaml`;
  const ssh = ['-F', configFile, ...gcm].map((word) => JSON.stringify(word)).join(', ');
  const raw = `plugin: pipe, listen: 'unix:raw.sock', command: '${greeting}', lazy: false`;
  await writeFile(config, `tunnels:\n  raw: { via: ${destination}, ssh: [${ssh}], ${raw} }\n`);
  const { file, args } = viasshAlone('up');
  const env = { ...process.env, VIASSH_CONFIG: config, VIASSH_RUNTIME_DIR: runtime, VIASSH_TRANSPORT: transport };
  const broker = spawn(file, args, { stdio: ['ignore', 'ignore', 'inherit'], env });
  servers.defer(async () => await gone(broker, 'SIGTERM'));
  const socket = join(runtime, 'raw.sock');
  while (!(await says(socket))) {
    if (broker.exitCode !== null) throw new Error('the broker ended');
    await delay(20);
  }
  return { runtime, socket, kill: async () => await gone(broker, 'SIGKILL') };
}

async function says(socket: string): Promise<boolean> {
  const client = connect(socket);
  try {
    await once(client, 'data');
    return true;
  } catch {
    return false;
  } finally {
    client.destroy();
  }
}

async function gone(child: ChildProcess, signal: NodeJS.Signals): Promise<void> {
  if (child.exitCode !== null || child.signalCode !== null) return;
  const exit = once(child, 'exit');
  child.kill(signal);
  await exit;
}

function remoteShell(sshd: Sshd): Pick<Program, 'file' | 'args'> {
  const { file, args } = rshProgram(sshd);
  return { file, args: [...args, ...gcm, sshd.destination] };
}

function onBroker(program: Program, { runtime }: RunningBroker): Program {
  const [, transport = ''] = program.name.split(', ');
  const env = { VIASSH_RUNTIME_DIR: runtime, VIASSH_TRANSPORT: transport };
  return { ...program, name: `${program.name}, broker`, env };
}

/** The first line of a program that then waits; it is ended. */
function firstLine(name: string, rttMs: number, run: () => ChildProcess): Contestant {
  return {
    name,
    async run() {
      await delay(rttMs * 3); // what is opened ahead has the time that it has between two clients
      const before = performance.now();
      const child = run();
      await once(child.stdout ?? child, 'data');
      const took = performance.now() - before;
      await gone(child, 'SIGTERM');
      return took;
    },
  };
}
