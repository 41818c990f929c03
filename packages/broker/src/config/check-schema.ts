import { Ajv, type ErrorObject, type ValidateFunction } from 'ajv';
import type { ConfigFault } from './config-fault.ts';
import { configSchema, tunnelKeys } from './config-schema.ts';
import { didYouMean } from './did-you-mean.ts';
import type { ConfigPath, YamlText } from './read-yaml.ts';

/** All that the schema has against a file, one fault a place. */
export function checkSchema(yaml: YamlText): readonly (ConfigFault & { readonly path: ConfigPath })[] {
  const validate = compile();
  if (validate(yaml.value)) return [];
  return (validate.errors ?? []).flatMap((error) => {
    const finding = findingOf(error);
    if (finding === undefined) return [];
    const { path, sentence, at } = finding;
    return [{ ...yaml.fault(path, sentence, at), path }];
  });
}

let compiled: ValidateFunction | undefined;

function compile(): ValidateFunction {
  return (compiled ??= new Ajv({ allErrors: true, verbose: true, allowUnionTypes: true }).compile(configSchema));
}

interface Finding {
  readonly path: ConfigPath;
  readonly sentence: string;
  readonly at?: 'key' | undefined;
}

function findingOf(error: ErrorObject): Finding | undefined {
  const path = pathOf(error.instancePath);
  const { keyword, data } = error;
  const params: unknown = error.params;
  switch (keyword) {
    case 'propertyNames':
      return undefined; // said by the pattern below it
    case 'pattern':
      return {
        path: [...path, error.propertyName ?? ''],
        at: 'key',
        sentence:
          'a name has letters, digits, dots, dashes and underscores, at most 64, and begins with a letter or a digit',
      };
    case 'additionalProperties': {
      const { additionalProperty: key } = params as { additionalProperty: string };
      const known = Object.keys((error.parentSchema?.['properties'] ?? {}) as object);
      const tunnelKey = tunnelKeys.includes(key) && path.length === 0 ? '; it belongs into a tunnel below tunnels' : '';
      return {
        path: [...path, key],
        at: 'key',
        sentence: `there is no such key${didYouMean(key, known) || tunnelKey}`,
      };
    }
    case 'required':
      return { path, at: 'key', sentence: `it has no ${(params as { missingProperty: string }).missingProperty}` };
    case 'enum': {
      const allowed = (params as { allowedValues: readonly string[] }).allowedValues;
      return { path, sentence: `it takes ${listed(allowed)}, not ${shown(data)}${didYouMean(String(data), allowed)}` };
    }
    case 'type':
      return { path, sentence: `it wants ${wanted((params as { type: string | string[] }).type)}, not ${shown(data)}` };
    case 'minLength':
      return { path, sentence: 'it is empty' };
    case 'minimum':
    case 'maximum': {
      const { limit } = params as { limit: number };
      return { path, sentence: `it is ${keyword === 'minimum' ? 'at least' : 'at most'} ${limit}, not ${shown(data)}` };
    }
    default:
      return { path, sentence: error.message ?? keyword };
  }
}

/** RFC 6901 §4 */
function pathOf(pointer: string): ConfigPath {
  return pointer
    .split('/')
    .slice(1)
    .map((part) => part.replaceAll('~1', '/').replaceAll('~0', '~'));
}

const articles: Readonly<Record<string, string>> = {
  string: 'a text',
  number: 'a number',
  integer: 'a whole number',
  boolean: 'true or false',
  array: 'a list',
  object: 'keys with values',
};

function wanted(type: string | readonly string[]): string {
  return listed([type].flat().flatMap((each) => articles[each] ?? []));
}

function shown(value: unknown): string {
  if (Array.isArray(value)) return 'a list';
  if (typeof value === 'object' && value !== null) return 'keys with values';
  if (value === null || value === undefined) return 'nothing';
  return typeof value === 'string' ? `'${value}'` : JSON.stringify(value);
}

function listed(words: readonly string[]): string {
  return words.length < 2 ? words.join('') : `${words.slice(0, -1).join(', ')} or ${words.at(-1) ?? ''}`;
}
