import { ViasshError } from '../errors/viassh-error.ts';

/** What the user typed, parsed and found harmless; not yet what ssh_config makes of it. */
export interface Destination {
  readonly user?: string | undefined;
  /** A host name, an alias of ssh_config, or an address (IPv6 without brackets, zone kept). */
  readonly host: string;
  readonly port?: number | undefined;
}

const LONGEST_NAME = 255; // RFC 1035 §2.3.4; a user name has no longer bound that sshd honours
const FORBIDDEN_IN_HOST = /['`"$\\;&<>|(){},\s\p{Cc}]/u; // ssh.c, valid_hostname()
const FORBIDDEN_IN_USER = /['`"$;&<>|(){}\p{Cc}]/u; // ssh.c, valid_ruser(); `$` and control characters since 10.1

/**
 * Parses `[user@]host[:port]`, `[user@][v6][:port]`, a bare IPv6 address, and `ssh://[user@]host[:port][/]`.
 * Refuses what OpenSSH refuses, before anything is spawned: a leading dash, shell characters, control characters,
 * ports outside 1-65535, brackets in `ssh://` (ssh itself refuses those).
 *
 * @throws ViasshError DESTINATION_INVALID
 */
export function parseDestination(text: string): Destination {
  if (text === '') throw invalid(text, 'it is empty');
  if (text.startsWith('-')) throw invalid(text, 'it begins with a dash');
  return /^ssh:\/\//i.test(text) ? parseUri(text) : parsePlain(text);
}

/** Holds a destination that was not parsed here to the same rules. @throws ViasshError DESTINATION_INVALID */
export function checkDestination(destination: Destination): Destination {
  const { user, host, port } = destination;
  return checked(formatDestination(destination), user, host, port?.toString());
}

/** The destination as one string that {@link parseDestination} reads back to the same. */
export function formatDestination({ user, host, port }: Destination): string {
  const name = port !== undefined && host.includes(':') ? `[${host}]` : host;
  return `${user === undefined ? '' : `${user}@`}${name}${port === undefined ? '' : `:${port}`}`;
}

function parsePlain(text: string): Destination {
  const at = text.lastIndexOf('@');
  const user = at < 0 ? undefined : text.slice(0, at);
  const rest = text.slice(at + 1);
  const bracketed = /^\[([^[\]]*)\](?::(.*))?$/s.exec(rest);
  if (bracketed !== null) return checked(text, user, bracketed[1] ?? '', bracketed[2]);
  if (rest.split(':').length > 2) return checked(text, user, rest, undefined); // a bare IPv6 address
  const colon = rest.indexOf(':');
  return colon < 0
    ? checked(text, user, rest, undefined)
    : checked(text, user, rest.slice(0, colon), rest.slice(colon + 1));
}

function parseUri(text: string): Destination {
  const match = /^ssh:\/\/(?:([^@/]*)@)?([^/]*)\/?$/is.exec(text);
  if (match === null) throw invalid(text, 'an ssh:// address has no path');
  const [, user, place = ''] = match;
  if (place.includes('[')) throw invalid(text, 'ssh:// takes no IPv6 address', `write ${place} without ssh://`);
  const colon = place.indexOf(':');
  const host = colon < 0 ? place : place.slice(0, colon);
  if (host !== '' && !host.startsWith('-') && !isDomain(host))
    throw invalid(text, 'the host of an ssh:// address is not a domain name');
  const name = user === undefined ? undefined : decoded(text, user);
  return checked(text, name, host.replace(/\.$/, ''), colon < 0 ? undefined : place.slice(colon + 1));
}

/** misc.c, valid_domain(): ssh neither decodes nor takes more in the host of an address. */
function isDomain(host: string): boolean {
  return /^[a-z\d][a-z\d._-]*$/i.test(host) && !host.includes('..');
}

function decoded(text: string, part: string): string {
  try {
    return decodeURIComponent(part.replaceAll('+', ' ')); // RFC 3986 §2.1; misc.c, urldecode() reads + as a blank
  } catch {
    throw invalid(text, 'its percent-encoding is broken');
  }
}

function checked(text: string, user: string | undefined, host: string, port: string | undefined): Destination {
  checkHost(text, host);
  if (user !== undefined) checkUser(text, user);
  if (/^ssh:\/\//i.test(user ?? '')) throw invalid(text, 'the user name is an address itself');
  return { user, host, port: port === undefined ? undefined : parsePort(text, port) };
}

function checkHost(text: string, host: string): void {
  if (host === '') throw invalid(text, 'the host is missing');
  if (host.length > LONGEST_NAME) throw invalid(text, `the host name is longer than ${LONGEST_NAME} characters`);
  if (host.startsWith('-')) throw invalid(text, 'the host begins with a dash');
  if (FORBIDDEN_IN_HOST.test(host)) throw invalid(text, 'the host has a character that ssh refuses');
  if (/[[\]/@]/.test(host) || (host.includes(':') && !isIPv6(host.replace(/%[^%:]+$/, ''))))
    // with a zone, RFC 4007 §11
    throw invalid(text, 'the host is not a name or an address');
}

/** Without `node:net`: every start of the remote shell would load it. */
function isIPv6(host: string): boolean {
  return /^[\da-f:.]+$/i.test(host) && URL.canParse(`http://[${host}]`);
}

/** Checks a user name by ssh's own rules. @throws ViasshError DESTINATION_INVALID */
export function checkUser(text: string, user: string): void {
  if (user === '') throw invalid(text, 'the user name is empty');
  if (user.length > LONGEST_NAME) throw invalid(text, `the user name is longer than ${LONGEST_NAME} characters`);
  if (user.startsWith('-')) throw invalid(text, 'the user name begins with a dash');
  if (FORBIDDEN_IN_USER.test(user) || /\s-|\\$/.test(user))
    throw invalid(text, 'the user name has a character that ssh refuses');
}

function parsePort(text: string, port: string): number {
  const number = /^\d{1,5}$/.test(port) ? Number(port) : 0;
  if (number < 1 || number > 65535) throw invalid(text, 'the port is not a number from 1 to 65535');
  return number;
}

function invalid(
  text: string,
  why: string,
  hint = 'write [user@]host[:port], or ssh://[user@]host[:port]',
): ViasshError {
  const shown = text.length > 80 ? `${text.slice(0, 80)}…` : text;
  return new ViasshError('DESTINATION_INVALID', `not a destination: '${shown}': ${why}`, { hint });
}
