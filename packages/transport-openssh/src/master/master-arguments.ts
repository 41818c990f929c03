import { formatDestination, keepaliveSeconds, type ResolvedDestination, sshArguments } from '@viassh/core';
import { customVerification } from './known-hosts-command.ts';
import { type Way, wayOptions } from './way.ts';

/** Paths that a master's options name. */
export interface MasterPaths {
  readonly socket: string;
  readonly log: string;
  /** The KnownHostsCommand script, when the caller verifies host keys itself. */
  readonly verifyScript?: string | undefined;
}

/** What this hop is for. */
export interface MasterRole {
  readonly way: Way;
  /** False: a hop on the way, to which no agent is forwarded. */
  readonly isLast: boolean;
  /** Further `-o` values. */
  readonly options?: readonly string[] | undefined;
}

/**
 * The argv of a private master. Ours comes first: of several values ssh takes the first. What it undoes are settings
 * for interactive logins (forwards, remote and local commands, terminals, other masters) that would break a helper.
 */
export function masterArguments(
  hop: ResolvedDestination,
  paths: MasterPaths,
  { way, isLast, options: more = [] }: MasterRole,
): string[] {
  const options = [
    ...wayOptions(hop, way),
    ...more,
    'ControlPersist=no',
    `ForwardAgent=${forwardAgent(isLast ? hop.forwardAgent : false)}`,
    'UpdateHostKeys=no',
    'LogLevel=DEBUG1',
    ...plainHelper(hop),
    `ServerAliveInterval=${keepaliveSeconds(hop)}`,
    // A pipe has nobody to ask: an unknown key is refused, with its fingerprint.
    ...(paths.verifyScript === undefined && hop.strictHostKeyChecking === 'ask' ? ['StrictHostKeyChecking=yes'] : []),
    ...(paths.verifyScript === undefined ? [] : customVerification(paths.verifyScript, hop)),
  ];
  // The way and the agent are decided: -J, -A and -a would overrule an -o wherever they stand.
  const typed = { ...hop.typed, proxyJump: undefined, forwardAgent: undefined };
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
    ...sshArguments(typed, hop.destination),
    '--',
    hop.destination.host,
  ];
}

/**
 * Settings that undo what a configuration for interactive use would do to a connection for pipes, as `-o` values. Those
 * that not every ssh knows are undone where the configuration has them: the same ssh read it.
 */
export function plainHelper({ raw }: Pick<ResolvedDestination, 'raw'>): string[] {
  return [
    'ClearAllForwardings=yes',
    'ForwardX11=no',
    'PermitLocalCommand=no',
    'RequestTTY=no',
    'Tunnel=no',
    ...(raw.has('remotecommand') ? ['RemoteCommand=none'] : []), // since 7.6
    ...(raw.get('forkafterauthentication')?.[0] === 'yes' ? ['ForkAfterAuthentication=no'] : []), // since 8.7
  ];
}

/** `user@host:port` for messages. */
export function peerName(hop: ResolvedDestination): string {
  return formatDestination({ user: hop.user, host: hop.hostName, port: hop.port });
}

/** ForwardAgent as ssh reads it: a path is one word, and its `%` no token. */
function forwardAgent(setting: ResolvedDestination['forwardAgent']): string {
  if (typeof setting === 'boolean') return setting ? 'yes' : 'no';
  return `"${setting.replace(/["\\]/g, '\\$&').replaceAll('%', '%%')}"`;
}
