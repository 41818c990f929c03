import { readdir, readFile, readlink } from 'node:fs/promises';
import { missingForNamespacePair, findProgram, type NamespacePair, startNamespacePair } from '@viassh/testing';
import { linkWays, startLink, type LinkWay } from './ppp-links.ts';
import { type Spread, spreadOf } from './race.ts';
import { textTable } from './table.ts';

/** One direction of one way. */
export interface LinkStanding {
  readonly name: string;
  readonly direction: Direction;
  /** Gbit/s of one TCP stream. */
  readonly rate: Spread;
  /** Against the peer of the same round; above 1 is better than the peer. */
  readonly ratio: Spread;
  /** Processor time of all that runs at both ends but for the clients, seconds for each GB. */
  readonly cpu: Spread;
  readonly failed?: string | undefined;
}

type Direction = 'up' | 'down';

interface Run {
  readonly rate: number;
  readonly cpu: number;
}

interface Contestant {
  readonly way: LinkWay;
  failed: string | undefined;
}

interface IperfResult {
  readonly end: { readonly sum_received?: { readonly bits_per_second: number; readonly bytes: number } };
  readonly error?: string;
}

/** All ways are up at the same time, of which one at a time has something to do. */
export interface LinkRace {
  readonly title: string;
  readonly run: () => Promise<LinkStanding[]>;
}

const SECONDS = 2;
const TICKS_PER_SECOND = 100; // USER_HZ, on every architecture of Linux that has Node

/** A TCP stream through IP links between two network namespaces. Nobody runs where there is no iperf3, or no root. */
export function linkRaces(repetitions: number): LinkRace[] {
  return [{ title: 'IP links, one TCP stream', run: () => raceOf(repetitions) }];
}

/** The race as lines of text. */
export function linkTable(title: string, standings: readonly LinkStanding[]): string {
  const lines = (['up', 'down'] as const).flatMap((direction) => {
    const rows = standings.filter((standing) => standing.direction === direction);
    return textTable([
      [direction, 'Gbit/s', 'spread', 'ratio', 'spread', 'CPU s/GB', 'spread'],
      ...rows.map(({ name, rate, ratio, cpu }, index) => [
        name,
        number(rate.median),
        range(rate),
        index === 0 ? '(the peer)' : `${number(ratio.median)} x`,
        index === 0 ? '' : range(ratio),
        number(cpu.median),
        range(cpu),
      ]),
    ]);
  });
  const failures = standings.flatMap(({ name, direction, failed }) =>
    failed === undefined ? [] : `  FAILED: ${name}, ${direction}: ${failed}`,
  );
  return [title, ...lines, ...failures, ''].join('\n');
}

async function raceOf(repetitions: number): Promise<LinkStanding[]> {
  if ((await missingForNamespacePair()) !== undefined || (await findProgram('iperf3')) === undefined) return [];
  const gcm = ['Ciphers aes128-gcm@openssh.com'];
  await using pair = await startNamespacePair({ config: ['LogLevel INFO'], clientConfig: gcm });
  await pair.far.serve('iperf3', ['-s']);
  const ways = await linkWays(pair);
  const contestants = await Promise.all(
    ways.map(async (way) => ({
      way,
      failed: await startLink(pair, way).then(() => undefined, messageOf),
      runs: { up: [] as Run[], down: [] as Run[] },
    })),
  );
  for (let round = -1; round < repetitions; round += 1)
    for (let turn = 0; turn < contestants.length; turn += 1) {
      const contestant = contestants[(Math.max(round, 0) + turn) % contestants.length]!;
      for (const direction of ['up', 'down'] as const) {
        const run = await attempt(pair, contestant, direction);
        if (round >= 0) contestant.runs[direction].push(run);
      }
    }
  const peer = contestants[0]?.runs;
  return (['up', 'down'] as const).flatMap((direction) =>
    contestants.map(({ way: { name }, failed, runs: { [direction]: own } }) => ({
      name,
      direction,
      rate: spreadOf(own.map(({ rate }) => rate)),
      ratio: spreadOf(own.map(({ rate }, round) => rate / (peer?.[direction][round]?.rate ?? Number.NaN))),
      cpu: spreadOf(own.map(({ cpu }) => cpu)),
      failed,
    })),
  );
}

/** Not a number once it has failed, three times in a row: iperf3 now and then does not see the end of the run before. */
async function attempt(pair: NamespacePair, contestant: Contestant, direction: Direction): Promise<Run> {
  if (contestant.failed !== undefined) return { rate: Number.NaN, cpu: Number.NaN };
  let failed = '';
  for (let tries = 0; tries < 3; tries += 1)
    try {
      return await measure(pair, contestant.way, direction);
    } catch (error) {
      failed = messageOf(error);
    }
  contestant.failed = failed;
  return { rate: Number.NaN, cpu: Number.NaN };
}

async function measure(pair: NamespacePair, { target }: LinkWay, direction: Direction): Promise<Run> {
  const words = ['-J', '-c', target, '-t', `${SECONDS}`, ...(direction === 'down' ? ['-R'] : [])];
  const before = await processorSeconds(pair);
  const { stdout } = await pair.near.run('iperf3', words);
  const after = await processorSeconds(pair);
  const { end, error } = JSON.parse(stdout) as IperfResult;
  if (end.sum_received === undefined) throw new Error(`iperf3: ${error ?? 'no result'}`);
  const { bits_per_second: bits, bytes } = end.sum_received;
  return { rate: bits / 1e9, cpu: ((after - before) / bytes) * 1e9 };
}

function messageOf(error: unknown): string {
  return error instanceof Error ? error.message : String(error);
}

/** Of all processes of both namespaces, but for the clients and their server. */
async function processorSeconds({ near, far }: NamespacePair): Promise<number> {
  const both = await Promise.all([near, far].map(({ pid }) => namespaceOf(pid)));
  let ticks = 0;
  for (const name of await readdir('/proc')) {
    if (!/^\d+$/.test(name) || !both.includes(await namespaceOf(name))) continue;
    const stat = await readFile(`/proc/${name}/stat`, 'utf8').catch(() => '');
    if (stat === '' || stat.includes('(iperf3)')) continue;
    const fields = stat.slice(stat.lastIndexOf(')') + 2).split(' ');
    ticks += Number(fields[11]) + Number(fields[12]); // proc(5): utime, stime
  }
  return ticks / TICKS_PER_SECOND;
}

async function namespaceOf(pid: number | string): Promise<string> {
  return await readlink(`/proc/${pid}/ns/net`).catch(() => '');
}

function number(value: number): string {
  return value.toFixed(2);
}

function range({ lowest, highest }: Spread): string {
  return `${number(lowest)}..${number(highest)}`;
}
