import { isViasshError, ViasshError } from '@viassh/core';
import { loadPersonality } from '../builtin.ts';
import { readRemoteShellSettings } from '../programs/remote-shell-settings.ts';
import type { GlobalValues } from './global-options.ts';

/**
 * The global options with what VIASSH_SSH_OPTIONS and VIASSH_TRANSPORT say behind what was typed: of two values the
 * typed one counts, keys and `-o` are added. They are read as the remote shell reads them.
 *
 * @throws ViasshError USAGE, OPTION_INVALID, CAPABILITY_MISSING
 */
export async function withUsualOptions(globals: GlobalValues, variables: NodeJS.ProcessEnv): Promise<GlobalValues> {
  const { usual, transport } = readRemoteShellSettings(variables);
  const named = globals.transport === 'auto' ? { ...globals, transport } : globals;
  if (usual.length === 0) return named;
  const { typed, control } = await readUsual(usual);
  const own = named.typed;
  return {
    ...named,
    ...(control !== undefined && named.transport === 'auto' ? { control, transport: 'control' } : {}),
    typed: {
      ...typed,
      ...Object.fromEntries(Object.entries(own).filter(([, value]) => value !== undefined)),
      options: [...(own.options ?? []), ...(typed.options ?? [])],
      identityFiles: [...(own.identityFiles ?? []), ...(typed.identityFiles ?? [])],
      compression: own.compression === true || typed.compression === true,
    },
  };
}

async function readUsual(usual: readonly string[]): Promise<Pick<GlobalValues, 'typed' | 'control'>> {
  const { readRemoteShellCall, spokenCall } = await loadPersonality();
  try {
    const call = readRemoteShellCall(['any.host'], { usual });
    const sockets = call.options.filter(({ letter }) => letter === 'S').map(({ value }) => value);
    const options = call.options.filter(({ letter }) => letter !== 'S');
    const { typed } = spokenCall({ ...call, options }, 'this command');
    return { typed, control: sockets.findLast((path) => path?.toLowerCase() !== 'none') };
  } catch (error) {
    if (!isViasshError(error)) throw error;
    throw new ViasshError(error.code, `VIASSH_SSH_OPTIONS: ${error.message}`, {
      hint: 'it holds options of ssh, as a JSON array of strings; take it out of the environment, or correct it',
    });
  }
}
