import {
  channelRefused,
  type ErrorCode,
  isViasshError,
  requestRefused,
  type ResolvedDestination,
  sanitize,
  type SessionRequest,
  ViasshError,
} from '@viassh/core';
import { peerOf } from './hop.ts';
import type { ChannelOpening } from './ssh2-private/open-raw-channel.ts';

/** What sshd says instead of its version: sshd.c, drop_connection(). */
const TURNED_AWAY = /^(?:Not allowed at this time|Exceeded MaxStartups)/;

/** How far a hop has come; the same failure means something else in each phase. */
export type Phase = 'handshake' | 'login' | 'up';

type Peer = Pick<ResolvedDestination, 'user' | 'hostName' | 'port'>;
type Foreign = Error & {
  readonly code?: string | number;
  readonly level?: string;
  readonly reason?: number | string;
  readonly errors?: readonly Foreign[];
};

/** A failed dial of ours: the errno tells. */
export function translateDialError(error: Error, hop: Peer): ViasshError {
  const at = `${hop.hostName} port ${hop.port}`;
  const code = errnoOf(error);
  const make = (own: ErrorCode, text: string, hint: string): ViasshError =>
    new ViasshError(own, text, { hint, cause: error });
  switch (code) {
    case 'ENOTFOUND':
    case 'EAI_AGAIN':
    case 'EAI_NODATA':
      return make(
        'HOST_NOT_FOUND',
        `the name ${hop.hostName} has no address (${code})`,
        'check the name, and that this machine can resolve names',
      );
    case 'ECONNREFUSED':
      return make('CONNECTION_REFUSED', `nothing listens on ${at}`, 'check the port, and that the ssh server runs');
    case 'ETIMEDOUT':
      return make('CONNECT_TIMEOUT', `${at} did not answer`, 'a firewall may drop the packets, or the host is down');
    case 'ECONNRESET':
      return make('SERVER_CLOSED', `${at} closed the connection at once`, 'the server may limit connections from here');
    default:
      return make(
        'HOST_UNREACHABLE',
        `${at} cannot be reached: ${error.message}`,
        'check the network between here and there',
      );
  }
}

/** Nothing came in time; `what` names what was waited for. */
export function connectTimeout(hop: Peer, what: string, ms: number): ViasshError {
  return new ViasshError('CONNECT_TIMEOUT', `${hop.hostName} port ${hop.port}: no ${what} within ${ms / 1000} s`, {
    hint: 'ConnectTimeout sets how long to wait; something else than an ssh server may listen there',
  });
}

/**
 * Is this one of the errors that ssh2 emits on its way to the next key? An agent or a key that cannot sign is no end of
 * the login.
 */
export function isPassing(error: Foreign): boolean {
  return error.level === 'agent';
}

/** What ssh2 emitted as 'error'. `heard`: what came instead of an identification string. */
export function translateClientError(error: Foreign, hop: Peer, phase: Phase, heard: string): ViasshError {
  if (isViasshError(error))
    return phase === 'up' && error.code !== 'CONNECTION_LOST' ? lost(hop, error.message, error) : error;
  if (phase === 'up')
    return lost(hop, error.level === 'client-timeout' ? 'the keepalives got no answer' : reasonOf(error), error);
  if (typeof error.code === 'number') return disconnected(error, hop);
  if (error.level === 'client-socket') return closedEarly(hop, error.message, error);
  if (error.message.startsWith('Connection lost before handshake'))
    return mayBeSsh(heard) ? closedEarly(hop, 'without a word', error) : notSsh(hop, heard, error);
  if (/identification string|header|greeting lines/i.test(error.message)) return notSsh(hop, heard, error);
  const noMatch = /^Handshake failed: no matching (.*)/i.exec(error.message)?.[1];
  if (noMatch !== undefined) {
    return new ViasshError('NEGOTIATION_FAILED', `${hop.hostName} and this side have no ${noMatch} in common`, {
      hint: 'use --transport openssh, which knows more algorithms, or name one that the server has (Ciphers, MACs, KexAlgorithms, HostKeyAlgorithms)',
      cause: error,
    });
  }
  return new ViasshError('PROTOCOL_ERROR', `${hop.hostName} broke the rules of SSH: ${error.message}`, {
    cause: error,
  });
}

/** The stream ended and nobody said why. */
export function translateEnd(hop: Peer, phase: Phase, heard: string): ViasshError {
  if (phase === 'up') return lost(hop, 'the server closed it', undefined);
  return mayBeSsh(heard)
    ? closedEarly(hop, phase === 'login' ? 'during login' : 'during the handshake', undefined)
    : notSsh(hop, heard, undefined);
}

/** A CHANNEL_OPEN_FAILURE, RFC 4254 §5.1. */
export function translateOpenFailure(reason: number, said: string, opening: ChannelOpening): ViasshError {
  return channelRefused(inCore(opening), reason, said, Object.assign(new Error(said), { reason }));
}

/** Did the server let us try, and the far end did not answer? Such may go through later. */
export function isFarEndFailure(error: ViasshError): boolean {
  return error.code === 'CHANNEL_REFUSED' && (error.cause as Foreign | undefined)?.reason === 2;
}

function inCore(opening: ChannelOpening): Parameters<typeof channelRefused>[0] {
  if (opening.type === 'session') return { type: 'session' };
  if (opening.type === 'direct-tcpip') return { type: opening.type, host: opening.dstIP, port: opening.dstPort };
  if (opening.type === 'tun@openssh.com') return { type: opening.type, mode: opening.mode };
  return { type: opening.type, path: opening.socketPath };
}

/** SSH_MSG_DISCONNECT before the end of the login, RFC 4253 §11.1. */
function disconnected(error: Foreign, hop: Peer): ViasshError {
  if (/too many authentication failures/i.test(error.message)) {
    return new ViasshError('AUTH_FAILED', `${peerOf(hop)}: the server gave up: ${error.message}`, {
      hint: 'an agent with many keys uses up the tries: set IdentitiesOnly yes and IdentityFile',
      cause: error,
    });
  }
  return closedEarly(hop, `saying: ${error.message}`, error);
}

function closedEarly(hop: Peer, how: string, cause: unknown): ViasshError {
  return new ViasshError(
    'SERVER_CLOSED',
    `${hop.hostName} port ${hop.port} closed the connection before login was complete: ${sanitize(how)}`,
    {
      hint: 'the server may limit connections from here (MaxStartups, PerSourcePenalties), or its log tells more',
      cause,
    },
  );
}

/** Nothing came, or the beginning of an identification string (RFC 4253 §4.2). */
function mayBeSsh(heard: string): boolean {
  return 'SSH-'.startsWith(heard.slice(0, 4));
}

function notSsh(hop: Peer, heard: string, cause: unknown): ViasshError {
  const shown = sanitize(heard.slice(0, 80));
  if (TURNED_AWAY.test(heard)) {
    return new ViasshError('SERVER_CLOSED', `${hop.hostName} port ${hop.port} turned us away: ${shown.trim()}`, {
      hint: 'the server limits connections from here (MaxStartups, PerSourcePenalties): wait before the next',
      cause,
    });
  }
  return new ViasshError(
    'PROTOCOL_ERROR',
    `${hop.hostName} port ${hop.port} does not speak SSH${shown === '' ? '' : `; it said: ${shown}`}`,
    {
      hint: 'check the port: another service listens there',
      cause,
    },
  );
}

function lost(hop: Peer, how: string, cause: unknown): ViasshError {
  return new ViasshError('CONNECTION_LOST', `the connection to ${peerOf(hop)} was lost: ${how}`, { cause });
}

function reasonOf(error: Foreign): string {
  return error.code === 'ECONNRESET' ? 'reset by the other side' : error.message;
}

function errnoOf(error: Foreign): string {
  const codes = [error, ...(error.errors ?? [])].map(({ code }) => code);
  return String(codes.find((code) => code === 'ECONNREFUSED') ?? codes.find((code) => code !== undefined) ?? '');
}

/**
 * A refused x11-req. sshd says to the client what of the key and of xauth stands in its way, and to its own log alone what
 * of its configuration does (session.c, session_setup_x11fwd).
 */
export function translateX11Refusal(request: SessionRequest, said: readonly string[]): ViasshError {
  const words = said.findLast((message) => /x11|xauth/i.test(message));
  const refusal = requestRefused(request, 'x11');
  if (words === undefined) return refusal;
  const hint = /key options/i.test(words)
    ? 'no-X11-forwarding or restrict stands with the key in authorized_keys there: X11-forwarding behind it allows it again'
    : /xauth/i.test(words)
      ? 'install xauth there (Debian: apt-get install xauth), or set XAuthLocation in sshd_config'
      : refusal.hint;
  return new ViasshError(refusal.code, `${refusal.message}: ${sanitize(words)}`, { hint, cause: new Error(words) });
}
