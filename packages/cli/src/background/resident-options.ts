import { optionFlag, type OptionTable, parseOptions, type PreparedPlugin, ViasshError } from '@viassh/core';

/** Seconds that who comes waits for a connection that is down. */
export const USUAL_WAIT = 30;

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
  keepTrying: {
    type: 'boolean',
    summary: 'try again also when the first attempt fails for a reason that may pass; without it that ends the run',
  },
  wait: {
    type: 'number',
    valueName: 'SECONDS',
    summary: `how long who comes waits while the connection is down; 0: turned away at once (default: ${USUAL_WAIT})`,
    min: 0,
    max: 2_000_000, // what a timer can hold
  },
  once: { type: 'boolean', summary: 'end with 255 when the connection is lost, as ssh does, and do not connect again' },
} as const satisfies OptionTable;

/** What every plugin that may stay takes beside its own options. */
export const residentOptions: OptionTable = table;

/** How a run stays. */
export interface Residence {
  readonly background: boolean;
  readonly pidFile: string | undefined;
  /** A first failure that may pass is no end. */
  readonly keepTrying: boolean;
  /** The first loss is the end. */
  readonly once: boolean;
  /** Seconds that who comes waits for a connection that is down. */
  readonly wait: number;
}

/** @throws ViasshError OPTION_INVALID; USAGE for a run that ends by itself */
export function readResidence(
  raw: Readonly<Record<string, unknown>>,
  { name, lifetime }: Pick<PreparedPlugin, 'name' | 'lifetime'>,
): Residence {
  const { wait = USUAL_WAIT, ...values } = parseOptions(table, raw);
  const residence = { ...values, wait };
  if (residence.keepTrying && residence.once)
    throw new ViasshError('USAGE', '--keep-trying and --once say the contrary', { hint: 'give one of them' });
  const given = Object.keys(table).find((option) => raw[option] !== undefined && raw[option] !== false);
  if (lifetime === 'resident' || given === undefined) return residence;
  throw new ViasshError(
    'USAGE',
    `${optionFlag(given)} makes no sense here: this ${name} ends by itself, with its stdin and stdout or its program`,
    {
      hint: `leave it away; viassh ${name} --help shows what listens, and stays`,
    },
  );
}
