import { ViasshError } from '@viassh/core';

/** A forward as typed. */
export interface Written {
  /** `-L` */
  readonly option: string;
  readonly text: string;
  /** What may be written, for hints. */
  readonly forms: string;
}

/** The error for a forward that cannot be read. */
export function forwardInvalid({ option, text }: Written, problem: string, hint: string): ViasshError {
  return new ViasshError('OPTION_INVALID', `${option} ${text === '' ? "''" : text}: ${problem}`, { hint });
}
