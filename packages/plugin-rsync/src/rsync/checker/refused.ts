import { ViasshError } from '@viassh/core';

/** The error for a command that a key may not run. */
export function refused(why: string, hint?: string): ViasshError {
  return new ViasshError('RSYNC_REFUSED', `rrsync: ${why}`, { hint });
}
