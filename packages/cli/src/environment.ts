import { userInfo } from 'node:os';
import process from 'node:process';
import { createOpensshConfigSource } from '@viassh/config-openssh';
import type { ConfigSource, ProgramRunner, TransportEntry } from '@viassh/core';
import { createProgramRunner } from '@viassh/program';
import { builtinTransports, controlTransport } from './builtin.ts';
import { runtimeFolder } from './runtime-folder.ts';

/** What a run of viassh has at hand, made from this process's surroundings. */
export interface Environment {
  readonly programs: ProgramRunner;
  readonly config: ConfigSource;
  readonly transports: readonly TransportEntry[];
  /** The transport on the master behind a control socket. */
  readonly controlTransport: (controlPath: string) => TransportEntry;
  readonly variables: NodeJS.ProcessEnv;
  /** Where private folders and the broker's socket are. */
  readonly runtimeFolder: string;
}

/**
 * Reads the surroundings once: environment variables, the user's entry in the password database. `sshFile` reads
 * ssh_config, and is what the openssh transport runs; default: `ssh` from PATH.
 */
export function readEnvironment(sshFile = 'ssh'): Environment {
  const variables = process.env;
  const programs = createProgramRunner();
  const folder = runtimeFolder(variables);
  const { homedir, username } = userInfo(); // ssh, too, asks the password database and not $HOME
  return {
    programs,
    config: createOpensshConfigSource({
      programs,
      environment: { home: homedir, user: username, variables },
      sshFile,
    }),
    transports: builtinTransports(programs, folder, sshFile),
    controlTransport: (controlPath) => controlTransport(programs, folder, controlPath),
    variables,
    runtimeFolder: folder,
  };
}
