import { constants, type Stats } from 'node:fs';
import { open } from 'node:fs/promises';
import { userInfo } from 'node:os';
import type { BrokerConfig } from '@viassh/broker';
import { isViasshError, type PluginRegistry, ViasshError } from '@viassh/core';
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
    await using handle = await open(file, constants.O_RDONLY | constants.O_NONBLOCK); // a pipe without a writer waits for ever
    checkRights(file, await handle.stat());
    return await handle.readFile('utf8');
  } catch (cause) {
    if (isViasshError(cause)) throw cause;
    const reason = (cause as NodeJS.ErrnoException).code ?? 'unknown reason';
    if (reason === 'ENOENT' && (named === undefined || named === '')) return '';
    throw new ViasshError('CONFIG_INVALID', `${file} cannot be read (${reason})`, {
      hint: 'write that file, or name another one with VIASSH_CONFIG',
      cause,
    });
  }
}

/** It names commands that are run as this user: as with ssh_config, nobody else but root may have written it. */
function checkRights(file: string, found: Stats): void {
  if (found.isFIFO() || found.isSocket())
    throw new ViasshError('CONFIG_INVALID', `${file} is no file`, {
      hint: 'viassh reload reads it again: take a file',
    });
  if (!found.isFile()) return; // a folder cannot be read, and a device has nothing of others
  const { uid } = userInfo();
  if (found.uid !== uid && found.uid !== 0)
    throw new ViasshError('CONFIG_INVALID', `${file} belongs to another user (uid ${found.uid})`, {
      hint: 'it can name commands, which would be run as you: take a file of your own, or of root',
    });
  if ((found.mode & 0o022) === 0) return;
  const mode = (found.mode & 0o777).toString(8).padStart(4, '0');
  throw new ViasshError('CONFIG_INVALID', `others than you may write to ${file} (mode ${mode})`, {
    hint: `it can name commands, which would be run as you: look at it, then chmod go-w ${file}`,
  });
}
