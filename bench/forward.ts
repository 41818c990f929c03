import type { Sshd } from '@viassh/testing';
import {
  type Asked,
  iperf,
  loadTimes,
  type RunningForward,
  sshForward,
  startForwardTarget,
  startIperf,
  viasshForward,
} from './forward-programs.ts';
import type { Contestant, Race } from './race.ts';
import { shared } from './shared.ts';

/** What the races are about. */
export interface ForwardOptions {
  readonly sshd: Sshd;
  /** Of iperf3. */
  readonly bytes: number;
  readonly repetitions: number;
}

type Option = '-L' | '-D';
/** Through a forward's port to the server behind it, by the far end's port. */
type Job = (port: number, far: number) => Promise<number>;

/** Races of `viassh forward` against `ssh -N`, each with a load that has processes of its own. Ends with the stack. */
export function forwardRaces(stack: AsyncDisposableStack, { sshd, bytes, repetitions }: ForwardOptions): Race[] {
  const target = shared(async () => stack.use(await startForwardTarget()));
  const far = shared(async () => stack.use(await startIperf()));
  const race = (title: string, option: Option, job: Job, behind: typeof far = target): Race => ({
    title,
    repetitions,
    contestants: async () => {
      const server = await behind();
      return server === undefined ? [] : contestants(sshd, option, server.port, job);
    },
  });
  const keepAlive = (connections: number): Race =>
    race(`forward -L, 20,000 keep-alive requests on ${connections} connections`, '-L', async (port) => {
      return (await loadTimes(port, 'direct', 'keep-alive', connections, 20_000)).ms;
    });
  const streams = (title: string, ...words: string[]): Race => ({
    ...race(`forward -L, iperf3 ${title}`, '-L', (port) => iperf(port, bytes, words), far),
    bytes,
  });
  return [
    keepAlive(10),
    keepAlive(200),
    keepAlive(1000),
    race('forward -L, 2,000 new connections, 50 at a time', '-L', async (port) => {
      return (await loadTimes(port, 'direct', 'new', 50, 2000)).ms;
    }),
    race('forward -L, latency of a request, p50', '-L', async (port) => {
      return (await loadTimes(port, 'direct', 'latency', 1, 2000)).p50;
    }),
    race('forward -L, latency of a request, p99', '-L', async (port) => {
      return (await loadTimes(port, 'direct', 'latency', 1, 2000)).p99;
    }),
    streams('up, 1 stream'),
    streams('up, 8 streams', '-P', '8'),
    streams('down, 1 stream', '-R'),
    streams('down, 8 streams', '-R', '-P', '8'),
    race('forward -D, 20,000 keep-alive requests on 200 connections', '-D', async (port, to) => {
      return (await loadTimes(port, to, 'keep-alive', 200, 20_000)).ms;
    }),
    race('forward -D, 2,000 new connections, 50 at a time', '-D', async (port, to) => {
      return (await loadTimes(port, to, 'new', 50, 2000)).ms;
    }),
    {
      ...race('forward -L, 10,000 open connections and two requests on each', '-L', async (port) => {
        return (await loadTimes(port, 'direct', 'open', 10_000, 10_000)).ms;
      }),
      repetitions: Math.min(repetitions, 2),
    },
  ];
}

/** Each starts with its first run and lives to the end of the race. */
function contestants(sshd: Sshd, option: Option, far: number, job: Job): Contestant[] {
  const asked: Asked = option === '-D' ? 'socks' : { to: far };
  return [
    { name: `ssh ${option}`, open: () => sshForward(sshd, asked) },
    { name: `viassh forward ${option}, openssh`, open: () => viasshForward(sshd, 'openssh', asked) },
    { name: `viassh forward ${option}, ssh2`, open: () => viasshForward(sshd, 'ssh2', asked) },
  ].map(({ name, open }) => {
    let forward: RunningForward | undefined;
    return {
      name,
      run: async () => await job((forward ??= await open()).port, far),
      close: async () => await forward?.[Symbol.asyncDispose](),
    };
  });
}
