import { ViasshError } from '../errors/viassh-error.ts';

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
  if (
    url === undefined ||
    known === undefined ||
    url.hostname === '' ||
    !['', '/'].includes(url.pathname + url.search)
  ) {
    throw new ViasshError('OPTION_INVALID', 'the proxy is not of the form socks5://host:port or http://host:port', {
      hint: 'a user and a password go before the host: socks5://user:password@host:port',
    });
  }
  // `http:` with port 80 is what URL leaves away
  const port =
    url.port === '' ? (url.protocol === 'http:' && /:80\/?$/.test(text) ? 80 : known.port) : Number(url.port);
  const host = decodeURIComponent(url.hostname).replace(/^\[|\]$/g, '');
  const user = url.username === '' ? undefined : decodeURIComponent(url.username);
  const password = url.password === '' ? undefined : decodeURIComponent(url.password);
  return { protocol: known.protocol, host, port, user, password };
}

/** `socks5://user@host:port`, for messages: without the password. */
export function describeProxy({ protocol, host, port, user }: ProxyAddress): string {
  return `${protocol}://${user === undefined ? '' : `${user}@`}${host.includes(':') ? `[${host}]` : host}:${port}`;
}
