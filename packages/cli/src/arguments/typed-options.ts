import type { TypedOptions } from '@viassh/core';
import type { GlobalValues } from './global-options.ts';

/** What was typed, and the proxy of the environment, which may carry a password, where none was. */
export function typedOptions(
  { typed, proxy: given }: Pick<GlobalValues, 'typed' | 'proxy'>,
  { VIASSH_PROXY: usual }: NodeJS.ProcessEnv,
): TypedOptions {
  const proxy = given ?? usual;
  return proxy === undefined || proxy === '' || proxy === 'none' ? typed : { ...typed, proxy };
}
