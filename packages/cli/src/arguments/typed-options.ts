import { isViasshError, parseProxyAddress, type TypedOptions, ViasshError } from '@viassh/core';
import type { GlobalValues } from './global-options.ts';

/**
 * What was typed, and the proxy of the environment, which may carry a password, where none was.
 *
 * @throws ViasshError OPTION_INVALID, when it is that of the environment that is wrong
 */
export function typedOptions(
  { typed, proxy: given }: Pick<GlobalValues, 'typed' | 'proxy'>,
  usual: string | undefined,
): TypedOptions {
  const proxy = given ?? usual;
  if (proxy === undefined || proxy === '' || proxy === 'none') return typed;
  if (given === undefined) checkUsual(proxy);
  return { ...typed, proxy };
}

function checkUsual(proxy: string): void {
  try {
    parseProxyAddress(proxy);
  } catch (error) {
    if (!isViasshError(error)) throw error;
    throw new ViasshError(error.code, `VIASSH_PROXY: ${error.message}`, { hint: error.hint });
  }
}
