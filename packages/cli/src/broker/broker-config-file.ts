import { readFile } from 'node:fs/promises';
import type { BrokerConfig } from '@viassh/broker';
import { type PluginRegistry, ViasshError } from '@viassh/core';
import type { Environment } from '../environment.ts';
import { brokerConfigFile } from './asks-for-sharing.ts';

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
