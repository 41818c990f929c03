import { isViasshError, ViasshError } from '@viassh/core';
import yargs from 'yargs';
import { readRemoteShellSettings } from '../programs/remote-shell-settings.ts';
import { globalOptions, type GlobalValues, readGlobals } from './global-options.ts';
import { normalizeArgv } from './normalize-argv.ts';

/**
 * The global options with what VIASSH_SSH_OPTIONS and VIASSH_TRANSPORT say behind what was typed: of two values the
 * typed one counts, keys and `-o` are added.
 *
 * @throws ViasshError USAGE, OPTION_INVALID
 */
export function withUsualOptions(globals: GlobalValues, variables: NodeJS.ProcessEnv): GlobalValues {
  const { usual, transport } = readRemoteShellSettings(variables);
  const named = globals.transport === 'auto' ? { ...globals, transport } : globals;
  if (usual.length === 0) return named;
  const { typed, control } = readUsual(usual);
  const own = named.typed;
  return {
    ...named,
    ...(named.control === undefined && control !== undefined && named.transport === 'auto'
      ? { control, transport: 'control' }
      : {}),
    typed: {
      ...typed,
      ...Object.fromEntries(Object.entries(own).filter(([, value]) => value !== undefined)),
      options: [...(own.options ?? []), ...(typed.options ?? [])],
      identityFiles: [...(own.identityFiles ?? []), ...(typed.identityFiles ?? [])],
      compression: own.compression === true || typed.compression === true,
    },
  };
}

function readUsual(words: readonly string[]): GlobalValues {
  try {
    const normal = normalizeArgv(
      words.map((word, at) => (word === '-S' && at + 1 < words.length ? '--control' : word)),
    );
    const values = yargs()
      .options(globalOptions)
      .help(false)
      .version(false)
      .exitProcess(false)
      .parserConfiguration({ 'parse-numbers': false, 'camel-case-expansion': false, 'dot-notation': false })
      .parseSync(normal);
    return readGlobals(values);
  } catch (error) {
    if (!isViasshError(error)) throw error;
    throw new ViasshError('USAGE', `VIASSH_SSH_OPTIONS: ${error.message}`, {
      hint: 'it holds options of ssh, as a JSON array of strings; take it out of the environment, or correct it',
    });
  }
}
