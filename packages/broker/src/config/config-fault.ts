import { ViasshError } from '@viassh/core';

/** One thing that is wrong with a configuration file. */
export interface ConfigFault {
  /** Both count from 1. */
  readonly line: number;
  readonly column: number;
  /** `tunnels.mail.via`; empty where the file is not YAML at all. */
  readonly key: string;
  /** One sentence without a stop. */
  readonly sentence: string;
}

class ConfigFaults extends Error {
  readonly lines: readonly string[];

  constructor(lines: readonly string[]) {
    super(lines.join('\n'));
    this.lines = lines;
  }
}

/** The error for a file with faults, in the order of the file: CONFIG_INVALID; {@link configFaults} has them one by one. */
export function configInvalid(file: string, faults: readonly ConfigFault[]): ViasshError {
  const inOrder = faults.toSorted((a, b) => a.line - b.line || a.column - b.column);
  const lines = inOrder.map((fault) => `${file}:${whereAndWhat(fault)}`);
  const message =
    lines.length === 1 ? lines.join('') : `${file} has ${lines.length} faults: ${inOrder.map(whereAndWhat).join('; ')}`;
  return new ViasshError('CONFIG_INVALID', message, {
    hint: 'correct the file; nothing of it is used until it has no fault',
    cause: new ConfigFaults(lines),
  });
}

/** `FILE:LINE:COLUMN key: sentence` for every fault that a CONFIG_INVALID of a configuration file tells; else nothing. */
export function configFaults(error: unknown): readonly string[] {
  const cause = error instanceof Error ? error.cause : undefined;
  return cause instanceof ConfigFaults ? cause.lines : [];
}

function whereAndWhat({ line, column, key, sentence }: ConfigFault): string {
  return `${line}:${column} ${key === '' ? '' : `${key}: `}${sentence}`;
}
