import { checkUser, parseDestination, type TypedOptions, ViasshError } from '@viassh/core';

/**
 * Refuses typed options that ssh would take for something else, before anything is spawned: a user or a jump host that
 * begins with a dash, a NUL byte, which argv would be cut at.
 *
 * @throws ViasshError DESTINATION_INVALID, OPTION_INVALID
 */
export function checkTypedOptions(typed: TypedOptions): void {
  if (typed.user !== undefined) checkUser(`${typed.user}@`, typed.user);
  if (typed.proxyJump !== undefined && typed.proxyJump.toLowerCase() !== 'none') {
    for (const hop of typed.proxyJump.split(',')) parseDestination(hop);
  }
  for (const text of [typed.configFile, ...(typed.options ?? []), ...(typed.identityFiles ?? [])]) {
    if (text?.includes('\0') === true) {
      throw new ViasshError('OPTION_INVALID', `an option has a NUL byte in it: ${text}`, {
        hint: 'give the value without it',
      });
    }
  }
}
