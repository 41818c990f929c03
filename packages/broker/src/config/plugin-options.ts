import { formatNearEnd, type NearEnd, type OptionTable, optionFlag, parseOptions, toViasshError } from '@viassh/core';
import { didYouMean } from './did-you-mean.ts';
import { parseNearPlace } from './near-place.ts';

/** What a fault of one option is told to. */
export type OptionFault = (name: string, sentence: string) => void;

/** A plugin's options out of a tunnel, each checked by itself. */
export interface ReadOptions {
  readonly options: Readonly<Record<string, unknown>>;
  /** The places of this machine among them. */
  readonly places: readonly { readonly name: string; readonly place: NearEnd }[];
}

/**
 * Reads options by their table. Where it wants text a number is taken as it was written; places to listen on may be written
 * as everywhere in the file.
 */
export function readOptions(
  table: OptionTable,
  raw: Readonly<Record<string, unknown>>,
  { plugin, known, written, runtimeFolder }: ReadingOptions,
  fault: OptionFault,
): ReadOptions {
  const options: Record<string, unknown> = {};
  const places: { name: string; place: NearEnd }[] = [];
  for (const [name, value] of Object.entries(raw)) {
    const spec = Object.hasOwn(table, name) ? table[name] : undefined;
    if (spec === undefined) {
      fault(
        name,
        `neither a tunnel nor ${plugin} has such a key${didYouMean(name, [...known, ...Object.keys(table)])}`,
      );
      continue;
    }
    try {
      const asText = spec.type === 'string' || spec.type === 'strings' ? textOf(value, name, written) : value;
      if (spec.type === 'string' && spec.valueName === 'NEAR' && typeof asText === 'string') {
        const place = parseNearPlace(asText, runtimeFolder);
        places.push({ name, place });
        options[name] = formatNearEnd(place);
      } else options[name] = asText;
      parseOptions({ [name]: spec }, { [name]: options[name] });
    } catch (error) {
      fault(name, inWordsOfTheFile(toViasshError(error).message, table, name));
    }
  }
  return { options, places };
}

/** What it takes to read them. */
export interface ReadingOptions {
  readonly plugin: string;
  /** Keys that a tunnel may have beside its options: for `did you mean`. */
  readonly known: readonly string[];
  /** A scalar of the option as it was written. */
  readonly written: (name: string, item?: number) => string | undefined;
  readonly runtimeFolder: string;
}

/** A sentence of a plugin about its options, with them spelled as the file does: `--or-local` → `orLocal`. */
export function inWordsOfTheFile(message: string, table: OptionTable, about?: string): string {
  const names = new Map(Object.keys(table).map((name) => [optionFlag(name), name]));
  const own = about === undefined ? '' : `${optionFlag(about)} `;
  const said = own !== '' && message.startsWith(own) ? `it ${message.slice(own.length)}` : message;
  return said.replaceAll(/--[a-z][a-z-]*/g, (flag) => names.get(flag) ?? flag);
}

function textOf(value: unknown, name: string, written: ReadingOptions['written']): unknown {
  if (typeof value === 'number') return written(name) ?? String(value);
  if (!Array.isArray(value)) return value;
  return value.map((item: unknown, at) => (typeof item === 'number' ? (written(name, at) ?? String(item)) : item));
}
