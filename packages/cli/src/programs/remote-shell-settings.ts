import { ViasshError } from '@viassh/core';

/** What the environment tells the remote shell beside its arguments. */
export interface RemoteShellSettings {
  readonly transport: 'auto' | 'openssh' | 'ssh2';
  /** ssh's options, put before those of each call. They are the user's own words. */
  readonly usual: readonly string[];
  /** The address of a proxy; a secret, as it may have a password in it. */
  readonly proxy: string | undefined;
  readonly mayRunLocalPrograms: boolean;
}

const transports = ['auto', 'openssh', 'ssh2'] as const;

/** Reads the VIASSH_ variables. @throws ViasshError USAGE, OPTION_INVALID */
export function readRemoteShellSettings(variables: NodeJS.ProcessEnv): RemoteShellSettings {
  const { VIASSH_PROXY: proxy = '' } = variables;
  return {
    transport: transportOf(variables['VIASSH_TRANSPORT']),
    usual: usualSshOptions(variables),
    proxy: proxy === '' || proxy === 'none' ? undefined : proxy,
    mayRunLocalPrograms: variables['VIASSH_ALLOW_LOCAL_COMMANDS'] === '1',
  };
}

/** The options of $VIASSH_SSH_OPTIONS. @throws ViasshError USAGE when it is no JSON array of strings */
export function usualSshOptions({ VIASSH_SSH_OPTIONS: text = '' }: NodeJS.ProcessEnv): readonly string[] {
  if (text === '') return [];
  const value = parseJson(text);
  if (Array.isArray(value) && value.every((word) => typeof word === 'string')) return value;
  throw new ViasshError('USAGE', 'VIASSH_SSH_OPTIONS is not a JSON array of strings', {
    hint: `write it as VIASSH_SSH_OPTIONS='["-p","2222"]', or take it out of the environment`,
  });
}

/** The environment of the ssh that we become: what was meant for us alone is not for what it starts. */
export function environmentOfSsh(variables: NodeJS.ProcessEnv): NodeJS.ProcessEnv {
  const { VIASSH_SSH_OPTIONS: _, VIASSH_PROXY: __, ...others } = variables;
  return others;
}

function transportOf(name: string | undefined): RemoteShellSettings['transport'] {
  if (name === undefined || name === '') return 'auto';
  const known = transports.find((transport) => transport === name);
  if (known !== undefined) return known;
  throw new ViasshError('OPTION_INVALID', `VIASSH_TRANSPORT cannot be '${name}'`, {
    hint: `use one of: ${transports.join(', ')}`,
  });
}

function parseJson(text: string): unknown {
  try {
    return JSON.parse(text);
  } catch {
    return undefined;
  }
}
