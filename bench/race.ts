/** One contestant: `run` does the job once and tells how long it took, in milliseconds. */
export interface Contestant {
  readonly name: string;
  readonly run: () => Promise<number>;
  /** After the last run. */
  readonly close?: () => Promise<void>;
}

/** Contestants that do the same job. The first is the peer that the others are held against. */
export interface Race {
  readonly title: string;
  readonly repetitions: number;
  /** Bytes of the job, when it is one of throughput. */
  readonly bytes?: number | undefined;
  /** The round trip to the server, when the race is about how many of them there are. */
  readonly rttMs?: number | undefined;
  /** As a function: called before the race, for what takes time to set up. None: this machine has not what it takes. */
  readonly contestants: readonly Contestant[] | (() => Promise<readonly Contestant[]>);
}

/** A median and how far the repetitions lie apart. */
export interface Spread {
  readonly median: number;
  readonly lowest: number;
  readonly highest: number;
}

/** What one contestant did. */
export interface Standing {
  readonly name: string;
  readonly unit: 'MB/s' | 'ms';
  readonly value: Spread;
  /** Against the peer of the same round; above 1 is better than the peer. */
  readonly ratio: Spread;
  /** The median in round trips. */
  readonly roundTrips?: number | undefined;
  /** Why it did not come to its end; the figures are then those of the rounds before. */
  readonly failed?: string | undefined;
}

/**
 * Everybody once for warming up, then the rounds: all contestants in turn, a different one first each time. Who fails is
 * left out from then on.
 */
export async function runRace({ repetitions, bytes, rttMs, contestants: given }: Race): Promise<Standing[]> {
  const contestants = typeof given === 'function' ? await given() : given;
  await using closing = new AsyncDisposableStack();
  for (const contestant of contestants) closing.defer(async () => await contestant.close?.().catch(() => undefined));
  const failures: (string | undefined)[] = [];
  const attempt = async (index: number): Promise<number> => {
    if (failures[index] !== undefined) return Number.NaN;
    try {
      return (await contestants[index]?.run()) ?? Number.NaN;
    } catch (error) {
      failures[index] = error instanceof Error ? error.message : String(error);
      return Number.NaN;
    }
  };
  for (const index of contestants.keys()) await attempt(index);
  const times = contestants.map((): number[] => []);
  for (let round = 0; round < repetitions; round += 1) {
    for (let turn = 0; turn < contestants.length; turn += 1) {
      const index = (round + turn) % contestants.length;
      times[index]?.push(await attempt(index));
    }
  }
  const peer = times[0] ?? [];
  return contestants.map(({ name }, index) => {
    const own = times[index] ?? [];
    const value = spreadOf(bytes === undefined ? own : own.map((ms) => bytes / 1000 / ms));
    return {
      name,
      unit: bytes === undefined ? 'ms' : 'MB/s',
      value,
      ratio: spreadOf(own.map((ms, round) => (peer[round] ?? Number.NaN) / ms)),
      roundTrips: rttMs === undefined ? undefined : value.median / rttMs,
      failed: failures[index],
    };
  });
}

/** Of those that are numbers. */
export function spreadOf(values: readonly number[]): Spread {
  const sorted = values.filter((value) => !Number.isNaN(value)).toSorted((a, b) => a - b);
  const at = (place: number): number => sorted[place] ?? Number.NaN;
  const middle = (sorted.length - 1) / 2;
  return {
    median: (at(Math.floor(middle)) + at(Math.ceil(middle))) / 2,
    lowest: at(0),
    highest: at(sorted.length - 1),
  };
}
