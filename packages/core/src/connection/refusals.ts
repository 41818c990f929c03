import { ViasshError } from '../errors/viassh-error.ts';
import type { TunMode } from './packet-channel.ts';
import type { RemoteForwardRequest } from './remote-forward.ts';
import type { SessionRequest } from './session-request.ts';

/** What a CHANNEL_OPEN asked for. */
export type ChannelOpening =
  | { readonly type: 'session' }
  | { readonly type: 'direct-tcpip'; readonly host: string; readonly port: number }
  | { readonly type: 'direct-streamlocal@openssh.com'; readonly path: string }
  | { readonly type: 'tun@openssh.com'; readonly mode: TunMode };

/** Reasons of RFC 4254 §5.1. */
export const openFailure = { prohibited: 1, connectFailed: 2, unknownType: 3, resourceShortage: 4 } as const;

const reasonNames: Readonly<Record<number, string>> = {
  1: 'administratively prohibited',
  2: 'connect failed',
  3: 'unknown channel type',
  4: 'resource shortage',
};

/**
 * A CHANNEL_OPEN_FAILURE (RFC 4254 §5.1) as error: the same words on every transport.
 *
 * @param reason undefined where a program between the server and us keeps it
 * @param said the server's own description, or that program's
 * @param cause default: an Error with `said` as message, and the reason as `reason`
 */
export function channelRefused(
  opening: ChannelOpening,
  reason: number | undefined,
  said: string,
  cause?: unknown,
): ViasshError {
  const name = reason === undefined ? 'reason unknown' : (reasonNames[reason] ?? `reason ${reason}`);
  const text = said === '' || said.toLowerCase() === name || said === 'open failed' ? name : `${name}: ${said}`;
  return new ViasshError('CHANNEL_REFUSED', `the server refused ${describeOpening(opening)}: ${text}`, {
    hint: openHint(opening, reason),
    cause: cause ?? (reason === undefined ? undefined : Object.assign(new Error(said), { reason })),
  });
}

/** A refused request on a session channel: `pty`, `x11`, or the request itself. The same words on every transport. */
export function requestRefused(request: SessionRequest, refused: 'pty' | 'x11' | 'request'): ViasshError {
  if (refused === 'pty') {
    return new ViasshError('REQUEST_REFUSED', 'the server refused a terminal', {
      hint: 'sshd_config PermitTTY no, or no-pty on the key, forbids it',
    });
  }
  if (refused === 'x11') {
    return new ViasshError('X11_REFUSED', 'the server refused X11', {
      hint: 'sshd_config X11Forwarding yes is needed there, the program xauth, and no no-X11-forwarding or restrict on the key; with all of that, sshd found no address for a display: AddressFamily inet where there is no IPv6',
    });
  }
  if (request.kind === 'subsystem') {
    return new ViasshError('REQUEST_REFUSED', `the server refused the subsystem ${request.subsystem}`, {
      hint: `sshd_config there has no line: Subsystem ${request.subsystem}`,
    });
  }
  return new ViasshError(
    'REQUEST_REFUSED',
    `the server refused ${request.kind === 'shell' ? 'a shell' : 'the command'}`,
    {
      hint: 'the account may be allowed to forward only, or its shell is missing',
    },
  );
}

/**
 * A remote forward that the server did not grant. The same words on every transport.
 *
 * @param said what the server, or a program of ours in between, said of it
 */
export function forwardRefused(request: RemoteForwardRequest, said?: string, cause?: unknown): ViasshError {
  const what =
    request.kind === 'streamlocal'
      ? `the Unix socket ${request.path}`
      : `${request.bindAddress === undefined || request.bindAddress === '' ? '' : `${request.bindAddress} `}port ${request.port}`;
  const settings = request.kind === 'streamlocal' ? 'AllowStreamLocalForwarding' : 'AllowTcpForwarding, PermitListen';
  const taken =
    request.kind === 'streamlocal'
      ? 'a file of that name may be there (StreamLocalBindUnlink yes on the server takes it away)'
      : request.port > 0 && request.port < 1024
        ? 'ports below 1024 take root there'
        : 'the port may be in use there';
  return new ViasshError(
    'FORWARD_REFUSED',
    `the server does not listen on ${what} for us${said === undefined ? '' : `: ${said}`}`,
    { hint: `${taken}; or sshd_config ${settings} or DisableForwarding, or options of the key, forbid it`, cause },
  );
}

function describeOpening(opening: ChannelOpening): string {
  if (opening.type === 'session') return 'a session channel';
  if (opening.type === 'tun@openssh.com') return `a tun device (${opening.mode})`;
  return opening.type === 'direct-tcpip'
    ? `a channel to ${opening.host} port ${opening.port}`
    : `a channel to ${opening.path}`;
}

function openHint(opening: ChannelOpening, reason: number | undefined): string {
  if (opening.type === 'session') {
    return 'sshd_config MaxSessions may be reached, or 0; a key that may only forward has no sessions';
  }
  if (opening.type === 'tun@openssh.com') {
    return `sshd_config PermitTunnel ${opening.mode} (or yes) is needed there, no tunnel restriction on the key, and a user who may make the device (root)`;
  }
  if (reason === openFailure.connectFailed) {
    return 'the server itself could not reach it: check that it listens there, as seen from the server';
  }
  if (reason === openFailure.unknownType) return 'the ssh server does not know this kind of channel';
  const unreachable = reason === undefined ? 'it may not be reachable from the server, or ' : '';
  const settings = opening.type === 'direct-tcpip' ? 'AllowTcpForwarding, PermitOpen' : 'AllowStreamLocalForwarding';
  return `${unreachable}sshd_config ${settings} or DisableForwarding, or options of the key in authorized_keys (restrict, no-port-forwarding, permitopen), forbid it`;
}
