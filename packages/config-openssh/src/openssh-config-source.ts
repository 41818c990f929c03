import {
  type ConfigSource,
  type Destination,
  exitCodeOf,
  isViasshError,
  type ProgramRunner,
  type ResolvedDestination,
  sshArguments,
  type TypedOptions,
  ViasshError,
} from '@viassh/core';
import { type Environment, interpretSettings } from './interpret-settings.ts';
import { parseSettings } from './parse-settings.ts';
import { settingsWithoutSsh } from './settings-without-ssh.ts';

/** What the ConfigSource needs from its surroundings. */
export interface OpensshConfigOptions {
  readonly programs: ProgramRunner;
  readonly environment: Environment;
  /** The ssh binary; default `ssh` from PATH. */
  readonly sshFile?: string | undefined;
}

/**
 * Resolves destinations by `ssh -G`, which is the truth: Include, Match, canonicalization are ssh's own. Without an OpenSSH
 * client only typed options apply, and a configuration that would apply is an error, not passed over.
 */
export function createOpensshConfigSource({
  programs,
  environment,
  sshFile = 'ssh',
}: OpensshConfigOptions): ConfigSource {
  return {
    name: `${sshFile} -G`,
    async resolve(destination, typed, signal): Promise<ResolvedDestination> {
      const settings = await readSettings(destination, typed, signal);
      return interpretSettings(settings, destination, typed, environment);
    },
  };

  async function readSettings(
    destination: Destination,
    typed: TypedOptions,
    signal?: AbortSignal,
  ): Promise<Map<string, string[]>> {
    const args = ['-G', '-T', ...sshArguments(typed, destination), '--', destination.host];
    try {
      const output = await programs.run({ file: sshFile, args, signal });
      const settings = parseSettings(output.stdout);
      if (exitCodeOf(output.exit) === 0 && settings.has('hostname')) return settings;
      if (await isOpenssh(signal)) throw configInvalid(output.stderr, sshFile);
      return await settingsWithoutSsh(destination, typed, environment);
    } catch (error) {
      if (!isViasshError(error, 'PROGRAM_NOT_FOUND')) throw error;
      return await settingsWithoutSsh(destination, typed, environment);
    }
  }

  /** Others are called `ssh` as well; they have no -G, and configurations of their own. */
  async function isOpenssh(signal?: AbortSignal): Promise<boolean> {
    const { stderr } = await programs.run({ file: sshFile, args: ['-V'], signal });
    return /OpenSSH/.test(stderr);
  }
}

function configInvalid(stderr: string, sshFile: string): ViasshError {
  const lines = stderr.split('\n').filter((line) => line.trim() !== '' && !line.startsWith('Pseudo-terminal'));
  const first =
    lines[0]?.startsWith('usage:') === true ? 'it does not accept these options' : (lines[0] ?? 'it gave no reason');
  return new ViasshError('CONFIG_INVALID', `ssh refuses its configuration: ${first}`, {
    hint: `correct the file or the -o option it names; ${sshFile} -G HOST shows the same`,
    cause: stderr,
  });
}
