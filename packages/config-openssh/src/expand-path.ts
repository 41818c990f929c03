import { hostname, userInfo } from 'node:os';
import { ViasshError } from '@viassh/core';

/** What the tokens of ssh_config(5) TOKENS stand for. */
export interface Tokens {
  readonly hostName: string;
  readonly original: string;
  readonly port: number;
  readonly user: string;
  readonly home: string;
  readonly localUser: string;
  readonly alias: string | undefined;
}

/**
 * Expands `~`, `%` tokens and `${VARIABLE}` in a path of ssh_config, as ssh does for IdentityFile and its like.
 *
 * @throws ViasshError CONFIG_INVALID for an unknown token or an unset variable, as ssh.
 */
export function expandPath(
  path: string,
  tokens: Tokens,
  variables: Readonly<Record<string, string | undefined>>,
): string {
  const values: Readonly<Record<string, string>> = {
    '%': '%',
    d: tokens.home,
    h: tokens.hostName,
    i: String(userInfo().uid),
    k: tokens.alias ?? tokens.original,
    L: hostname().split('.')[0] ?? '',
    l: hostname(),
    n: tokens.original,
    p: String(tokens.port),
    r: tokens.user,
    u: tokens.localUser,
  };
  const home = path.replace(/^~(?=\/|$)/, () => tokens.home);
  const expanded = home.replace(/%(.?)/gs, (token, letter: string) => {
    const value = values[letter];
    if (value === undefined) throw new ViasshError('CONFIG_INVALID', `ssh_config: unknown token ${token} in ${path}`);
    return value;
  });
  return expanded.replace(/\$\{(\w+)\}/g, (_, name: string) => {
    const value = variables[name];
    if (value === undefined)
      throw new ViasshError('CONFIG_INVALID', `ssh_config: the variable ${name} in ${path} is not set`);
    return value;
  });
}
