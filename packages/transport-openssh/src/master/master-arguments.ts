import { formatDestination, type ResolvedDestination, sshArguments } from '@viassh/core';

const DEFAULT_ALIVE_INTERVAL = 15; // seconds, when the configuration sets none

/** Paths that a master's options name. */
export interface MasterPaths {
  readonly socket: string;
  readonly log: string;
  /** The KnownHostsCommand helper, when the caller verifies host keys itself. */
  readonly verifyHelper?: string | undefined;
}

/**
 * The argv of a private master. Ours comes first: of several values ssh takes the first. What it undoes are settings
 * for interactive logins (forwards, remote and local commands, terminals, other masters) that would break a helper.
 */
export function masterArguments(hop: ResolvedDestination, paths: MasterPaths, asksUs: boolean): string[] {
  const options = [
    'ControlPersist=no',
    'ClearAllForwardings=yes',
    'ForwardX11=no',
    'ForwardAgent=no',
    'PermitLocalCommand=no',
    'RemoteCommand=none',
    'RequestTTY=no',
    'Tunnel=no',
    'UpdateHostKeys=no',
    'LogLevel=DEBUG1',
    ...(hop.serverAliveInterval === 0 ? [`ServerAliveInterval=${DEFAULT_ALIVE_INTERVAL}`] : []),
    // A question about a host key must not reach whoever answers the questions for passwords.
    ...(asksUs && hop.strictHostKeyChecking === 'ask' ? ['StrictHostKeyChecking=yes'] : []),
    ...(paths.verifyHelper === undefined ? [] : customVerification(paths.verifyHelper)),
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

/** Host keys are known only through the helper's answer (ssh ≥ 8.5). */
function customVerification(helper: string): string[] {
  return [
    `KnownHostsCommand=${helper} %I %t %K %H`,
    'UserKnownHostsFile=none',
    'GlobalKnownHostsFile=none',
    'StrictHostKeyChecking=yes',
    'CheckHostIP=no',
    'VerifyHostKeyDNS=no',
    'NoHostAuthenticationForLocalhost=no',
  ];
}

/** `user@host:port` for messages. */
export function peerName(hop: ResolvedDestination): string {
  return formatDestination({ user: hop.user, host: hop.hostName, port: hop.port });
}
