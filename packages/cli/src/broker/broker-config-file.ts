import { readFile } from 'node:fs/promises';
import { userInfo } from 'node:os';
import { isAbsolute, join } from 'node:path';
import type { BrokerConfig } from '@viassh/broker';
import { type PluginRegistry, ViasshError } from '@viassh/core';
import type { Environment } from '../environment.ts';

/** `$VIASSH_CONFIG`, or `viassh/config.yaml` below `$XDG_CONFIG_HOME` or `~/.config`. */
export function brokerConfigFile({ VIASSH_CONFIG: own, XDG_CONFIG_HOME: xdg }: NodeJS.ProcessEnv): string {
  if (own !== undefined && own !== '') return own;
  const folder = xdg !== undefined && isAbsolute(xdg) ? xdg : join(userInfo().homedir, '.config');
  return join(folder, 'viassh', 'config.yaml');
}

/**
 * The configuration; where the usual file is missing, an empty one.
 *
 * @throws ViasshError CONFIG_INVALID
 */
export async function readBrokerConfig(
  { variables, runtimeFolder }: Pick<Environment, 'variables' | 'runtimeFolder'>,
  plugins: PluginRegistry,
): Promise<BrokerConfig> {
  const { loadBrokerConfig } = await import('@viassh/broker');
  const file = brokerConfigFile(variables);
  return await loadBrokerConfig(file, await textOf(file, variables), { plugins, runtimeFolder });
}

async function textOf(file: string, { VIASSH_CONFIG: named }: NodeJS.ProcessEnv): Promise<string> {
  try {
    return await readFile(file, 'utf8');
  } catch (cause) {
    const reason = (cause as NodeJS.ErrnoException).code ?? 'unknown reason';
    if (reason === 'ENOENT' && (named === undefined || named === '')) return '';
    throw new ViasshError('CONFIG_INVALID', `${file} cannot be read (${reason})`, {
      hint: 'write that file, or name another one with VIASSH_CONFIG',
      cause,
    });
  }
}
