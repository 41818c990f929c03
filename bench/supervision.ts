import { type ChildProcess, spawn } from 'node:child_process';
import { once } from 'node:events';
import { type AddressInfo, connect, createServer } from 'node:net';
import { join } from 'node:path';
import { setTimeout as wait } from 'node:timers/promises';
import {
  findSshd,
  freePort,
  type FaultyRelay,
  type Sshd,
  startFaultyRelay,
  startSshd,
  waitUntil,
} from '@viassh/testing';
import { viasshAlone } from './programs.ts';

/** Who keeps two forwards up. `words` are its own, those of ssh follow. */
interface Keeper {
  readonly name: string;
  readonly program: (port: number) => { readonly file: string; readonly args: readonly string[] };
}

/** Where one keeper works: what is done to it is done to nobody else. */
interface Place {
  readonly sshd: Sshd;
  readonly relay: FaultyRelay;
}

interface Fault {
  readonly title: string;
  /** `struck`: from here on the connection that was is none. Resolves when there is a way to the server again. */
  readonly strike: (place: Place, struck: () => void) => Promise<void>;
  /** Milliseconds that are waited for service. */
  readonly limitMs: number;
}

/** What a fault did. Milliseconds from the moment when there was a way again; Infinity: not within the limit. */
interface Outcome {
  readonly local: number;
  readonly remote: number;
  /** Of those who connected to the local forward until both served: refused or cut off, and served, but late. */
  readonly failed: number;
  readonly waited: number;
}

/** Medians of some rounds. */
export interface KeeperStanding extends Outcome {
  readonly name: string;
}

/** A fault that all keepers meet at the same time. */
export interface SupervisionRace {
  readonly title: string;
  readonly run: () => Promise<KeeperStanding[]>;
}

const EVERY_MS = 50;
const LATE_MS = 250;
const AWAY_MS = 10_000;
const keepalives = ['-o', 'ServerAliveInterval=1', '-o', 'ServerAliveCountMax=3'];

const keepers: readonly Keeper[] = [
  { name: 'autossh -M 0', program: () => ({ file: 'autossh', args: ['-M', '0', '-N'] }) },
  { name: 'autossh -M PORT', program: (port) => ({ file: 'autossh', args: ['-M', `${port}`, '-N'] }) },
  { name: 'viassh autossh -M 0', program: () => viasshAlone('autossh', '-M', '0', '-N') },
  {
    name: 'viassh forward --keep-trying, openssh',
    program: () => viasshAlone('forward', '--keep-trying', '--transport', 'openssh'),
  },
  {
    name: 'viassh forward --keep-trying, ssh2',
    program: () => viasshAlone('forward', '--keep-trying', '--transport', 'ssh2'),
  },
];

const faults: readonly Fault[] = [
  {
    title: 'supervision, the sshd of the session killed',
    strike: async ({ sshd }) => killSessions(sshd),
    limitMs: 30_000,
  },
  { title: 'supervision, connection reset', strike: async ({ relay }) => relay.cut({ how: 'rst' }), limitMs: 30_000 },
  {
    title: 'supervision, blackhole, noticed by keepalives after 3 to 4 s',
    strike: async ({ relay }) => relay.stall(), // what is dialled from now on gets through
    limitMs: 30_000,
  },
  {
    title: 'supervision, sshd away for 10 s, from its return on',
    strike: async ({ sshd }, struck) => {
      await sshd.kill();
      struck();
      await wait(AWAY_MS);
      await restart(sshd);
    },
    limitMs: 90_000,
  },
];

/** `viassh` beside autossh(1), where that is installed: the same forwards, the same faults. */
export function supervisionRaces(repetitions: number): SupervisionRace[] {
  return faults.map((fault) => ({
    title: fault.title,
    run: async () => {
      const rounds: Outcome[][] = [];
      for (let round = 0; round < repetitions; round += 1)
        rounds.push(await Promise.all(keepers.map((keeper) => meet(keeper, fault))));
      return keepers.map(({ name }, index) => {
        const own = rounds.map((round) => round[index] as Outcome);
        const of = (key: keyof Outcome): number => median(own.map((outcome) => outcome[key]));
        return { name, local: of('local'), remote: of('remote'), failed: of('failed'), waited: of('waited') };
      });
    },
  }));
}

/** One fault as lines of text. */
export function supervisionTable(title: string, standings: readonly KeeperStanding[]): string {
  const rows = [
    ['', '-L serves', '-R serves', 'clients failed', 'waited'],
    ...standings.map(({ name, local, remote, failed, waited }) => [
      name,
      seconds(local),
      seconds(remote),
      `${failed}`,
      `${waited}`,
    ]),
  ];
  const widths = rows[0]?.map((_, column) => Math.max(...rows.map((row) => row[column]?.length ?? 0))) ?? [];
  const line = (row: readonly string[]): string =>
    row.map((cell, at) => (at === 0 ? cell.padEnd(widths[0] ?? 0) : cell.padStart(widths[at] ?? 0))).join('  ');
  return [title, ...rows.map((row) => `  ${line(row).trimEnd()}`), ''].join('\n');
}

function seconds(ms: number): string {
  return ms === Infinity ? 'never' : `${(ms / 1000).toFixed(2)} s`;
}

/** One keeper, from its start to its end. */
async function meet({ program }: Keeper, { strike, limitMs }: Fault): Promise<Outcome> {
  await using stack = new AsyncDisposableStack();
  const sshd = stack.use(await startSshd({ mode: 'listen' }));
  const relay = stack.use(await startFaultyRelay({ to: sshd.port }));
  const target = createServer((socket) => void socket.on('error', () => undefined).end('hello'));
  await once(target.listen(0, '127.0.0.1'), 'listening');
  stack.defer(() => void target.close());
  const to = `127.0.0.1:${(target.address() as AddressInfo).port}`;
  const [local, remote, loop] = [await freePort(), await freePort(), await freePort()];
  const { file, args } = program(loop);
  const words = [
    '-F',
    sshd.configFile,
    '-p',
    `${relay.port}`,
    ...keepalives,
    '-L',
    `${local}:${to}`,
    '-R',
    `${remote}:${to}`,
  ];
  const child = spawn(file, [...args, ...words, sshd.destination], {
    stdio: 'ignore',
    env: { ...process.env, AUTOSSH_GATETIME: '0' },
  });
  stack.defer(() => ended(child));
  await waitUntil('both forwards to serve', async () => (await served(local)) && (await served(remote)), {
    withinMs: 30_000,
  });
  await wait(1000); // all have settled
  return await countClients(local, remote, limitMs, (struck) => strike({ sshd, relay }, struck));
}

/** Lets a client come every 50 ms, from the fault on until both forwards serve. */
async function countClients(
  local: number,
  remote: number,
  limitMs: number,
  strike: (struck: () => void) => Promise<void>,
): Promise<Outcome> {
  const firsts = { local: Infinity, remote: Infinity };
  let [failed, waited, gone, returned] = [0, 0, Infinity, Infinity];
  const clients: Promise<void>[] = [];
  const struck = (): void => void (gone = Math.min(gone, performance.now()));
  const whole = async (): Promise<void> => {
    await strike(struck);
    struck();
    returned = performance.now();
  };
  const striking = whole();
  const isOver = (): boolean =>
    performance.now() > returned + limitMs || Math.max(firsts.local, firsts.remote) < Infinity;
  while (!isOver()) {
    const began = performance.now();
    const one = async (port: number, which: 'local' | 'remote'): Promise<void> => {
      const isServed = await served(port, which === 'local' ? limitMs : 1000);
      if (isServed && began >= gone) firsts[which] = Math.min(firsts[which], performance.now());
      if (which === 'remote') return;
      if (!isServed) failed += 1;
      else if (performance.now() - began > LATE_MS) waited += 1;
    };
    clients.push(one(local, 'local'), one(remote, 'remote'));
    await wait(EVERY_MS);
  }
  await striking;
  await Promise.all(clients);
  return { local: firsts.local - returned, remote: firsts.remote - returned, failed, waited };
}

/** Whether something is said there, in time. */
async function served(port: number, withinMs = 1000): Promise<boolean> {
  const socket = connect({ host: '127.0.0.1', port });
  const timer = setTimeout(() => socket.destroy(), withinMs);
  let said = false;
  socket.on('error', () => undefined).on('data', () => void (said = true));
  await new Promise((resolve) => socket.once('close', resolve));
  clearTimeout(timer);
  return said;
}

async function killSessions(sshd: Sshd): Promise<void> {
  for (const pid of await sshd.processes()) {
    if (pid !== sshd.pid) process.kill(pid, 'SIGKILL');
  }
}

async function restart(sshd: Sshd): Promise<void> {
  const program = await findSshd();
  const args = ['-D', '-f', join(sshd.folder, 'sshd_config'), '-E', join(sshd.folder, 'sshd.log')];
  spawn(program?.file ?? 'sshd', args, { stdio: 'ignore' });
  await waitUntil('sshd to listen again', () => accepts(sshd.port), { everyMs: 10 });
}

async function accepts(port: number): Promise<boolean> {
  const socket = connect({ host: '127.0.0.1', port });
  const isOpen = await Promise.race([
    once(socket, 'connect').then(() => true),
    new Promise<boolean>((resolve) => socket.on('error', () => resolve(false))),
  ]).catch(() => false);
  socket.destroy();
  return isOpen;
}

async function ended(child: ChildProcess): Promise<void> {
  if (child.exitCode !== null || child.signalCode !== null) return;
  const exit = once(child, 'exit');
  child.kill('SIGTERM');
  await exit;
}

function median(values: readonly number[]): number {
  const sorted = values.toSorted((a, b) => a - b);
  return sorted[Math.floor(sorted.length / 2)] ?? Number.NaN;
}
