import { ViasshError } from '../errors/viassh-error.ts';
import { checkDestination } from './destination.ts';

/** A proxy that dials for us: SOCKS version 5 (RFC 1928), or HTTP CONNECT (RFC 9110 §9.3.6). */
export interface ProxyAddress {
  readonly protocol: 'socks5' | 'http';
  readonly host: string;
  readonly port: number;
  readonly user?: string | undefined;
  /** A secret. */
  readonly password?: string | undefined;
}

const protocols: Readonly<Record<string, { protocol: ProxyAddress['protocol']; port: number }>> = {
  'socks5:': { protocol: 'socks5', port: 1080 },
  'socks5h:': { protocol: 'socks5', port: 1080 }, // the same here: the proxy resolves the name
  'http:': { protocol: 'http', port: 3128 },
};

/** @throws ViasshError OPTION_INVALID; its message has no password */
export function parseProxyAddress(text: string): ProxyAddress {
  const url = URL.canParse(text) ? new URL(text) : undefined;
  const known = url === undefined ? undefined : protocols[url.protocol];
  if (url === undefined || known === undefined || !['', '/'].includes(url.pathname + url.search + url.hash))
    throw invalid('it is not of the form socks5://host:port or http://host:port');
  // `http:` with port 80 is what URL leaves away
  const port =
    url.port === '' ? (url.protocol === 'http:' && /:0*80\/?$/.test(text) ? 80 : known.port) : Number(url.port);
  if (port === 0) throw invalid('a port is a number from 1 to 65535');
  const host = decoded(url.hostname).replace(/^\[(.*)\]$/, '$1');
  const user = url.username === '' ? undefined : decoded(url.username);
  const password = url.password === '' ? undefined : decoded(url.password);
  if (user === undefined && password !== undefined) throw invalid('there is a password and no user');
  try {
    checkDestination({ host });
  } catch {
    throw invalid('its host is not a name or an address');
  }
  return { protocol: known.protocol, host, port, user, password };
}

/** `socks5://user@host:port`, for messages: without the password. */
export function describeProxy({ protocol, host, port, user }: ProxyAddress): string {
  return `${protocol}://${user === undefined ? '' : `${user}@`}${host.includes(':') ? `[${host}]` : host}:${port}`;
}

function decoded(part: string): string {
  try {
    return decodeURIComponent(part);
  } catch {
    throw invalid('its percent-encoding is broken');
  }
}

/** The text itself is not shown: it may hold a password in any place. */
function invalid(why: string): ViasshError {
  return new ViasshError('OPTION_INVALID', `the proxy is not one: ${why}`, {
    hint: 'write protocol://[user[:password]@]host[:port] with socks5 or http; @, : and / in a password are %40, %3A, %2F',
  });
}
