import { type OptionTable, parseOptions, type PreparedPlugin, ViasshError } from '@viassh/core';

const table = {
  background: {
    type: 'boolean',
    letter: 'f',
    summary: 'return once all stands, and leave it behind in the background',
  },
  pidFile: {
    type: 'string',
    valueName: 'FILE',
    summary: 'once all stands, and as long as it runs, FILE has the process id',
  },
} as const satisfies OptionTable;

/** What every plugin that may stay takes beside its own options. */
export const residentOptions: OptionTable = table;

/** How a run stays. */
export interface Residence {
  readonly background: boolean;
  readonly pidFile: string | undefined;
}

/** @throws ViasshError OPTION_INVALID; USAGE for a run that ends by itself */
export function readResidence(
  raw: Readonly<Record<string, unknown>>,
  { name, lifetime }: Pick<PreparedPlugin, 'name' | 'lifetime'>,
): Residence {
  const residence = parseOptions(table, raw);
  if (lifetime === 'resident' || (!residence.background && residence.pidFile === undefined)) return residence;
  const option = residence.background ? '--background' : '--pid-file';
  throw new ViasshError(
    'USAGE',
    `${option} makes no sense here: this ${name} ends by itself, with its stdin and stdout or its program`,
    {
      hint: `leave it away; viassh ${name} --help shows what listens, and stays`,
    },
  );
}
