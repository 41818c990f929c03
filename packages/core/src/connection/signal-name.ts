import { ViasshError } from '../errors/viassh-error.ts';

/** RFC 4254 §6.10 */
const signalNames: ReadonlySet<string> = new Set(
  'ABRT ALRM FPE HUP ILL INT KILL PIPE QUIT SEGV TERM USR1 USR2'.split(' '),
);

/**
 * A signal's name as it goes over the wire: `TERM` for `TERM` and `SIGTERM`.
 *
 * @throws ViasshError OPTION_INVALID for one that RFC 4254 §6.10 does not have.
 */
export function wireSignalName(name: string): string {
  const bare = name.replace(/^SIG/, '');
  if (signalNames.has(bare)) return bare;
  throw new ViasshError('OPTION_INVALID', `not a signal that ssh can carry: ${name}`, {
    hint: `use one of: ${[...signalNames].join(', ')}`,
  });
}
