import { type OptionSpec, type OptionTable, optionFlag, ViasshError } from '@viassh/core';
import type { Options } from 'yargs';
import type { Letters } from './normalize-argv.ts';

/** A table of options as yargs has them. */
export function yargsOptions(table: OptionTable): Readonly<Record<string, Options>> {
  return Object.fromEntries(
    Object.entries(table).map(([name, spec]) => [optionFlag(name).slice(2), yargsOption(spec)]),
  );
}

/** What was typed for the options of a table, unchecked. @throws ViasshError OPTION_INVALID for one given twice */
export function optionsOf(table: OptionTable, values: Readonly<Record<string, unknown>>): Record<string, unknown> {
  const given = Object.keys(table).map((name): [string, unknown] => {
    const value = values[optionFlag(name).slice(2)];
    if (Array.isArray(value) && table[name]?.type !== 'strings')
      throw new ViasshError('OPTION_INVALID', `${optionFlag(name)} is given more than once`, { hint: 'give it once' });
    return [name, value];
  });
  return Object.fromEntries(given);
}

/** For what was not typed, the environment variables that stand for it. An empty one says nothing. */
export function withVariables(
  table: OptionTable,
  typed: Readonly<Record<string, unknown>>,
  variables: Readonly<Record<string, string | undefined>>,
): Record<string, unknown> {
  const usual = Object.entries(table).flatMap(([name, spec]): [string, string][] => {
    const value = spec.type === 'string' && spec.variable !== undefined ? variables[spec.variable] : undefined;
    return typed[name] !== undefined || value === undefined || value === '' ? [] : [[name, value]];
  });
  return { ...typed, ...Object.fromEntries(usual) };
}

function yargsOption(spec: OptionSpec): Options {
  if (spec.type === 'boolean')
    return { type: 'boolean', describe: `${spec.letter === undefined ? '' : `-${spec.letter} `}${spec.summary}` };
  return {
    type: 'string',
    requiresArg: true,
    describe: `${spec.letter === undefined ? '' : `-${spec.letter} `}${spec.valueName}: ${spec.summary}`,
    defaultDescription: defaultOf(spec),
  };
}

function defaultOf(spec: Exclude<OptionSpec, { type: 'boolean' }>): string | undefined {
  if (spec.type === 'strings') return undefined;
  return (
    spec.default?.toString() ??
    (spec.type === 'string' && spec.variable !== undefined ? `$${spec.variable}` : undefined)
  );
}

/** The letters of a table's options, as `normalizeArgv` takes them. */
export function lettersOf(table: OptionTable): Letters {
  return Object.fromEntries(
    Object.entries(table).flatMap(([name, { letter, type }]) =>
      letter === undefined ? [] : [[letter, { name: optionFlag(name).slice(2), takesValue: type !== 'boolean' }]],
    ),
  );
}
