import {
  type ConnectOptions,
  destinationOf,
  type ExitStatus,
  type ProgramRunner,
  type ProgramStdio,
  type Route,
  type SessionRequest,
  sshArguments,
} from '@viassh/core';
import { plainHelper } from './master/master-arguments.ts';
import type { SshVersion } from './master/ssh-version.ts';

/**
 * Runs one ssh with the caller's own descriptors: no byte passes through JavaScript. The exit status is ssh's own, so a
 * remote signal is 255 (ssh drops its name), and so is a failure of the connection.
 *
 * @throws ViasshError PROGRAM_NOT_FOUND
 */
export async function handOver(
  programs: ProgramRunner,
  sshFile: string,
  version: SshVersion | undefined,
  route: Route,
  request: SessionRequest,
  stdio: ProgramStdio,
  { log, signal }: Pick<ConnectOptions, 'log' | 'signal'>,
): Promise<ExitStatus> {
  const hop = destinationOf(route);
  const args = [
    ...['ControlPath=none', ...plainHelper(version)]
      .filter((option) => option !== 'RequestTTY=no')
      .flatMap((option) => ['-o', option]),
    request.pty === undefined ? '-T' : '-tt',
    ...(request.kind === 'subsystem' ? ['-s'] : []),
    ...environmentOptions({ ...hop.sessionEnv, ...request.env }),
    ...sshArguments(hop.typed, hop.destination),
    '--',
    hop.destination.host,
    ...(request.kind === 'exec' ? [request.command] : request.kind === 'subsystem' ? [request.subsystem] : []),
  ];
  log.debug(`handing over to ${sshFile}`);
  const program = await programs.start({ file: sshFile, args, stdio, signal });
  return await program.exit;
}

/** All in one SetEnv: ssh heeds only the first. */
function environmentOptions(env: Readonly<Record<string, string>>): string[] {
  const settings = Object.entries(env).map(([name, value]) => `"${name}=${value.replace(/["\\]/g, '\\$&')}"`);
  return settings.length === 0 ? [] : ['-o', `SetEnv=${settings.join(' ')}`];
}
