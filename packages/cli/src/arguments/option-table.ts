import { type OptionSpec, type OptionTable, optionFlag, ViasshError } from '@viassh/core';
import type { Options } from 'yargs';

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
    if (Array.isArray(value))
      throw new ViasshError('OPTION_INVALID', `${optionFlag(name)} is given more than once`, { hint: 'give it once' });
    return [name, value];
  });
  return Object.fromEntries(given);
}

function yargsOption(spec: OptionSpec): Options {
  if (spec.type === 'boolean') return { type: 'boolean', describe: spec.summary };
  return {
    type: 'string',
    requiresArg: true,
    describe: `${spec.valueName}: ${spec.summary}`,
    defaultDescription: spec.default?.toString(),
  };
}
