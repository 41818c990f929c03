import { ViasshError } from '../errors/viassh-error.ts';

/**
 * One option of a plugin. Its name in the table is camelCase; the CLI spells it `--kebab-case`, and by `letter` where ssh
 * has one for it (`L`: `-L VALUE`, `-LVALUE`).
 */
export type OptionSpec = { readonly letter?: string } & OptionForm;

type OptionForm =
  | {
      readonly type: 'string';
      readonly summary: string;
      readonly valueName: string;
      readonly default?: string;
      /** The environment variable that stands for it where it is not given: `DISPLAY`. An empty one is none. The CLI reads it. */
      readonly variable?: string;
    }
  | {
      readonly type: 'number';
      readonly summary: string;
      readonly valueName: string;
      readonly default?: number;
      readonly min?: number;
      readonly max?: number;
    }
  | { readonly type: 'boolean'; readonly summary: string }
  /** May be given several times; the values in their order, none: an empty list. */
  | { readonly type: 'strings'; readonly summary: string; readonly valueName: string };

/** All options of a plugin by name. */
export type OptionTable = Readonly<Record<string, OptionSpec>>;

type ValueOf<S extends OptionSpec> = S['type'] extends 'boolean'
  ? boolean
  : S['type'] extends 'strings'
    ? readonly string[]
    :
        | (S['type'] extends 'number' ? number : string)
        | (S extends { readonly default: string | number } ? never : undefined);

/** The values that a table's options take; `words` are the words after `--`. */
export type OptionValues<T extends OptionTable> = { readonly [K in keyof T]: ValueOf<T[K]> } & {
  readonly words: readonly string[];
};

/**
 * Checks raw values against the table and fills in defaults.
 *
 * @throws ViasshError OPTION_INVALID naming the option and what it takes.
 */
export function parseOptions<T extends OptionTable>(
  table: T,
  raw: Readonly<Record<string, unknown>>,
  words: readonly string[] = [],
): OptionValues<T> {
  for (const name of Object.keys(raw)) {
    if (raw[name] !== undefined && !Object.hasOwn(table, name))
      throw new ViasshError('OPTION_INVALID', `there is no option ${optionFlag(name)}`);
  }
  const values = Object.entries(table).map(([name, spec]) => [name, parseValue(name, spec, raw[name])]);
  return { ...(Object.fromEntries(values) as { [K in keyof T]: ValueOf<T[K]> }), words };
}

/** `greetingTimeout` → `--greeting-timeout` */
export function optionFlag(name: string): string {
  return `--${name.replace(/[A-Z]/g, (letter) => `-${letter.toLowerCase()}`)}`;
}

function parseValue(name: string, spec: OptionSpec, value: unknown): unknown {
  if (spec.type === 'boolean') {
    if (value === undefined || typeof value === 'boolean') return value ?? false;
    throw new ViasshError('OPTION_INVALID', `${optionFlag(name)} takes no value`);
  }
  if (spec.type === 'strings') {
    const values = value === undefined ? [] : Array.isArray(value) ? value : [value];
    return values.map((each: unknown) => textOf(name, spec.valueName, each));
  }
  if (value === undefined) return spec.default;
  if (spec.type === 'string') return textOf(name, spec.valueName, value);
  const number = typeof value === 'string' && value.trim() !== '' ? Number(value) : value;
  const { min = 0, max = Number.MAX_SAFE_INTEGER } = spec;
  if (typeof number === 'number' && number >= min && number <= max) return number;
  throw new ViasshError(
    'OPTION_INVALID',
    `${optionFlag(name)} wants a number from ${min} to ${max}, not '${value as string | number}'`,
  );
}

function textOf(name: string, valueName: string, value: unknown): string {
  if (typeof value === 'string' && value !== '') return value;
  throw new ViasshError('OPTION_INVALID', `${optionFlag(name)} wants a ${valueName}`);
}
