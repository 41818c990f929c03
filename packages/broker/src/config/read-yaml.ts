import {
  type Document,
  isAlias,
  isMap,
  isPair,
  isScalar,
  isSeq,
  LineCounter,
  type Node,
  parseDocument,
  visit,
} from 'yaml';
import type { ConfigFault } from './config-fault.ts';

/** The way to a value: keys, and numbers of list items. */
export type ConfigPath = readonly (string | number)[];

/** A configuration file as YAML 1.2 says it. */
export interface YamlText {
  /** Undefined where the file is no YAML. */
  readonly value: unknown;
  readonly faults: readonly ConfigFault[];
  /** The fault at a value; `at: 'key'`: at its key. What is not there is told at the nearest thing around it. */
  fault(path: ConfigPath, sentence: string, at?: 'key' | 'value'): ConfigFault;
  /** A scalar as it was written (`0143`, `1e3`); undefined for what is none. */
  written(path: ConfigPath): string | undefined;
  /** The keys of a map in the order of the file, which JavaScript does not keep for those that look like numbers. */
  keys(path: ConfigPath): readonly string[];
}

/** What comes after so many mistakes follows from them. */
const MOST_MISTAKES = 10;

/** Reads YAML 1.2 and keeps where each value stands. Never throws. */
export function readYaml(text: string): YamlText {
  try {
    return read(text);
  } catch {
    return tooDeep; // the parser, and what walks behind it, call themselves for each level
  }
}

const tooDeep: YamlText = {
  value: undefined,
  faults: [{ line: 1, column: 1, key: '', sentence: 'it is nested too deeply' }],
  fault: (path, sentence) => ({ line: 1, column: 1, key: path.join('.'), sentence }),
  written: () => undefined,
  keys: () => [],
};

function read(text: string): YamlText {
  const lines = new LineCounter();
  const document = parseDocument(text, {
    version: '1.2',
    lineCounter: lines,
    prettyErrors: false,
    stringKeys: true,
    resolveKnownTags: false, // no value is anything else than JSON has
  });
  const at = (offset: number, path: ConfigPath, sentence: string): ConfigFault => {
    const { line, col } = lines.linePos(offset);
    return { line: Math.max(1, line), column: Math.max(1, col), key: path.join('.'), sentence };
  };
  const faults = [
    ...[...document.errors, ...document.warnings]
      .slice(0, MOST_MISTAKES)
      .map((error) => at(error.pos[0], [], sentenceOf(error.code, error.message))),
    ...(document.errors.length === 0 ? aliasFaults(document, (offset, sentence) => at(offset, [], sentence)) : []),
  ];
  let value: unknown;
  if (faults.length === 0) {
    try {
      value = document.toJS({ maxAliasCount: 100 });
    } catch {
      faults.push(at(0, [], 'it repeats parts of itself too often (&name and *name)'));
    }
  }
  return {
    value,
    faults,
    fault: (path, sentence, where = 'value') => at(offsetOf(document, path, where), path, sentence),
    written: (path) => {
      const { value: node } = find(document, path);
      return isScalar(node) ? (node.source ?? String(node.value)) : undefined;
    },
    keys: (path) => {
      const { value: node } = find(document, path);
      const map = isAlias(node) ? node.resolve(document) : node;
      return isMap(map) ? map.items.flatMap(({ key }) => (isScalar(key) ? String(key.value) : [])) : [];
    },
  };
}

function sentenceOf(code: string, message: string): string {
  if (code === 'DUPLICATE_KEY') return 'this key is here a second time';
  if (code === 'MULTIPLE_DOCS') return 'a second document (---) begins here: the file may have one';
  if (code === 'TAG_RESOLVE_FAILED') return 'a value with a type of its own (!) is nothing for this file';
  return `this is no YAML: ${message}`;
}

function aliasFaults(
  document: Document.Parsed,
  fault: (offset: number, sentence: string) => ConfigFault,
): readonly ConfigFault[] {
  const faults: ConfigFault[] = [];
  visit(document, {
    Alias(_, alias, parents) {
      const offset = alias.range?.[0] ?? 0;
      const origin = alias.resolve(document);
      if (origin === undefined) faults.push(fault(offset, `nothing before it is named &${alias.source}`));
      else if (parents.includes(origin)) faults.push(fault(offset, `*${alias.source} stands in itself`));
    },
  });
  return faults;
}

function offsetOf(document: Document.Parsed, path: ConfigPath, where: 'key' | 'value'): number {
  const { key, value, complete } = find(document, path);
  const node = where === 'key' || !complete ? (key ?? value) : (value ?? key);
  return node?.range?.[0] ?? 0;
}

interface Found {
  readonly key: Node | undefined;
  readonly value: Node | undefined;
  /** False: the last part of the path is not there; what is told is around it. */
  readonly complete: boolean;
}

function find(document: Document.Parsed, path: ConfigPath): Found {
  let [key, value]: [Node | undefined, Node | undefined] = [undefined, document.contents ?? undefined];
  for (const part of path) {
    const inside: unknown = isAlias(value) ? value.resolve(document) : value;
    if (isMap(inside)) {
      const pair = inside.items.find((item) => isPair(item) && isScalar(item.key) && item.key.value === String(part));
      if (pair === undefined) return { key, value, complete: false };
      [key, value] = [pair.key as Node, (pair.value ?? undefined) as Node | undefined];
    } else if (isSeq(inside)) value = inside.items[Number(part)] as Node | undefined;
    else return { key, value, complete: false };
  }
  return { key, value, complete: true };
}
