import { formatDestination, type ResolvedDestination, sshArguments } from '@viassh/core';
import { customVerification } from './known-hosts-command.ts';
import { atLeast, type SshVersion } from './ssh-version.ts';

const DEFAULT_ALIVE_INTERVAL = 15; // seconds, when the configuration sets none

/** Paths that a master's options name. */
export interface MasterPaths {
  readonly socket: string;
  readonly log: string;
  /** The KnownHostsCommand script, when the caller verifies host keys itself. */
  readonly verifyScript?: string | undefined;
}

/**
 * The argv of a private master. Ours comes first: of several values ssh takes the first. What it undoes are settings
 * for interactive logins (forwards, remote and local commands, terminals, other masters) that would break a helper.
 */
export function masterArguments(
  hop: ResolvedDestination,
  paths: MasterPaths,
  version: SshVersion | undefined,
): string[] {
  const options = [
    'ControlPersist=no',
    'ForwardAgent=no',
    'UpdateHostKeys=no',
    'LogLevel=DEBUG1',
    ...plainHelper(version),
    ...(hop.serverAliveInterval === 0 ? [`ServerAliveInterval=${DEFAULT_ALIVE_INTERVAL}`] : []),
    // A pipe has nobody to ask: an unknown key is refused, with its fingerprint.
    ...(paths.verifyScript === undefined && hop.strictHostKeyChecking === 'ask' ? ['StrictHostKeyChecking=yes'] : []),
    ...(paths.verifyScript === undefined ? [] : customVerification(paths.verifyScript, hop)),
  ];
  return [
    '-M',
    '-N',
    '-n',
    '-T',
    '-S',
    paths.socket,
    '-E',
    paths.log,
    ...options.flatMap((option) => ['-o', option]),
    ...sshArguments(hop.typed, hop.destination),
    '--',
    hop.destination.host,
  ];
}

/** Settings that undo what a configuration for interactive use would do to a connection for pipes, as `-o` values. */
export function plainHelper(version: SshVersion | undefined): string[] {
  return [
    'ClearAllForwardings=yes',
    'ForwardX11=no',
    'PermitLocalCommand=no',
    'RequestTTY=no',
    'Tunnel=no',
    ...(atLeast(version, 7, 6) ? ['RemoteCommand=none'] : []),
    ...(atLeast(version, 8, 7) ? ['ForkAfterAuthentication=no'] : []),
  ];
}

/** `user@host:port` for messages. */
export function peerName(hop: ResolvedDestination): string {
  return formatDestination({ user: hop.user, host: hop.hostName, port: hop.port });
}
