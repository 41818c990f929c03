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
    usual: usualOptions(variables['VIASSH_SSH_OPTIONS']),
    proxy: proxy === '' || proxy === 'none' ? undefined : proxy,
    mayRunLocalPrograms: variables['VIASSH_ALLOW_LOCAL_COMMANDS'] === '1',
  };
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
  throw new ViasshError('OPTION_INVALID', `VIASSH_TRANSPORT names no transport of the remote shell: ${name}`, {
    hint: `use one of: ${transports.join(', ')}`,
  });
}

function usualOptions(text: string | undefined): readonly string[] {
  if (text === undefined || text === '') return [];
  const value = parseJson(text);
  if (Array.isArray(value) && value.every((word) => typeof word === 'string')) return value;
  throw new ViasshError('USAGE', 'VIASSH_SSH_OPTIONS is not a JSON array of strings', {
    hint: `write it as VIASSH_SSH_OPTIONS='["-p","2222"]', or take it out of the environment`,
  });
}

function parseJson(text: string): unknown {
  try {
    return JSON.parse(text);
  } catch {
    return undefined;
  }
}
