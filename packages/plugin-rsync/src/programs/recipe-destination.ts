import { type Destination, parseDestination, ViasshError } from '@viassh/core';

/**
 * The destination of a recipe, taken apart for programs whose configuration has no quotes.
 *
 * @throws ViasshError DESTINATION_INVALID for names that such a configuration cannot hold
 */
export function readRecipeDestination(quoted: string): Destination {
  const destination = parseDestination(quoted.replace(/^'(.*)'$/s, '$1'));
  const { user, host } = destination;
  for (const name of user === undefined ? [host] : [user, host]) {
    if (/^[\w.+%:-]+$/.test(name)) continue;
    throw new ViasshError('DESTINATION_INVALID', `this program's configuration cannot hold the name '${name}'`, {
      hint: 'give it a plain name: Host, HostName and User in ~/.ssh/config',
    });
  }
  return destination;
}
