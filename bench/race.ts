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
  readonly contestants: readonly Contestant[];
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
}

/** Everybody once for warming up, then the rounds: all contestants in turn, a different one first each time. */
export async function runRace({ repetitions, bytes, contestants }: Race): Promise<Standing[]> {
  await using closing = new AsyncDisposableStack();
  for (const contestant of contestants) closing.defer(async () => await contestant.close?.());
  for (const { run } of contestants) await run();
  const times = contestants.map((): number[] => []);
  for (let round = 0; round < repetitions; round += 1) {
    for (let turn = 0; turn < contestants.length; turn += 1) {
      const index = (round + turn) % contestants.length;
      const took = await contestants[index]?.run();
      if (took !== undefined) times[index]?.push(took);
    }
  }
  const peer = times[0] ?? [];
  return contestants.map(({ name }, index) => {
    const own = times[index] ?? [];
    return {
      name,
      unit: bytes === undefined ? 'ms' : 'MB/s',
      value: spreadOf(bytes === undefined ? own : own.map((ms) => bytes / 1000 / ms)),
      ratio: spreadOf(own.map((ms, round) => (peer[round] ?? Number.NaN) / ms)),
    };
  });
}

function spreadOf(values: readonly number[]): Spread {
  const sorted = values.toSorted((a, b) => a - b);
  const at = (place: number): number => sorted[place] ?? Number.NaN;
  const middle = (sorted.length - 1) / 2;
  return {
    median: (at(Math.floor(middle)) + at(Math.ceil(middle))) / 2,
    lowest: at(0),
    highest: at(sorted.length - 1),
  };
}
