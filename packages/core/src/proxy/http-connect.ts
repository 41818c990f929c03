import type { Socket } from 'node:net';
import type { ProxyAddress } from '../destination/proxy-address.ts';
import { ViasshError } from '../errors/viassh-error.ts';
import { proxyFailed, type ProxyTarget } from './proxy-failed.ts';
import { readHeader } from './read-from.ts';

const MOST_HEADER = 16 * 1024;
const LONGEST_REASON = 200;

/** The proxy let us through, or wants (another) login by one of these schemes, lower-case. */
export type HttpConnectOutcome =
  | { readonly kind: 'through' }
  | { readonly kind: 'login'; readonly schemes: readonly string[] };

/**
 * Has an HTTP proxy dial, RFC 9110 §9.3.6, with Basic credentials when there are some, RFC 7617.
 *
 * @throws ViasshError PROXY_FAILED, OPTION_INVALID; ProxyClosed
 */
export async function connectByHttp(
  socket: Socket,
  proxy: ProxyAddress,
  target: ProxyTarget,
  password: string | undefined,
): Promise<HttpConnectOutcome> {
  const authority = `${target.host.includes(':') ? `[${target.host}]` : target.host}:${target.port}`;
  const lines = [`CONNECT ${authority} HTTP/1.1`, `Host: ${authority}`];
  if (password !== undefined) lines.push(`Proxy-Authorization: Basic ${basicCredentials(proxy.user ?? '', password)}`);
  socket.write(`${lines.join('\r\n')}\r\n\r\n`);
  const { status, reason, header } = await readAnswer(socket, proxy, target);
  if (status >= 200 && status < 300) return { kind: 'through' }; // a length or a coding in its header means nothing (§9.3.6)
  if (status === 407 || (status === 401 && password !== undefined))
    return { kind: 'login', schemes: schemesOf(header) }; // tinyproxy says 401
  throw proxyFailed(proxy, target, `it answered ${status} ${reason.slice(0, LONGEST_REASON)}`.trim());
}

interface Answer {
  readonly status: number;
  readonly reason: string;
  readonly header: string;
}

/** The final answer: those that are on the way (1xx) are passed over, RFC 9110 §15.2. */
async function readAnswer(socket: Socket, proxy: ProxyAddress, target: ProxyTarget): Promise<Answer> {
  for (let most = MOST_HEADER; ; ) {
    const header = await readHeader(socket, most);
    if (header === undefined)
      throw proxyFailed(proxy, target, `the header of its answer is longer than ${MOST_HEADER} bytes`);
    const [, status, reason = ''] = /^HTTP\/1\.[01] (\d{3})(?: ([^\r\n]*))?\r?\n/.exec(header) ?? [];
    if (status === undefined) {
      throw proxyFailed(proxy, target, 'it does not speak HTTP/1.1', {
        hint: 'check its address and port; socks5:// is for proxies that speak SOCKS',
      });
    }
    if (!status.startsWith('1')) return { status: Number(status), reason, header };
    most -= header.length;
  }
}

function schemesOf(header: string): string[] {
  const challenges = [...header.matchAll(/^proxy-authenticate:(.*)$/gim)].map(([, value = '']) => value);
  return challenges.flatMap((value) =>
    [...value.matchAll(/(?:^|,)\s*([\w!#$%&'*+.^`|~-]+)(?=\s*(?:$|,|\s[^=\s]))/g)].map(([, name = '']) =>
      name.toLowerCase(),
    ),
  );
}

function basicCredentials(user: string, password: string): string {
  if (user.includes(':'))
    throw new ViasshError('OPTION_INVALID', 'the user of an HTTP proxy cannot have a colon in its name'); // RFC 7617 §2
  return Buffer.from(`${user}:${password}`).toString('base64');
}
