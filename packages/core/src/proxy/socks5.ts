import { isIPv4, isIPv6, type Socket } from 'node:net';
import type { ProxyAddress } from '../destination/proxy-address.ts';
import { ViasshError } from '../errors/viassh-error.ts';
import { proxyFailed, proxyLoginFailed, type ProxyTarget } from './proxy-failed.ts';
import { readBytes } from './read-from.ts';

const VERSION = 5;
const NO_LOGIN = 0; // RFC 1928 §3
const USER_AND_PASSWORD = 2;
const NOTHING_ACCEPTABLE = 0xff;
const CONNECT = 1; // §4
const IPV4 = 1; // §5
const NAME = 3;
const IPV6 = 4;

/** RFC 1928 §6 */
const replies: Readonly<Record<number, string>> = {
  1: 'general failure of the proxy',
  2: 'its rules do not allow it',
  3: 'network unreachable',
  4: 'host unreachable',
  5: 'connection refused',
  6: 'time to live expired',
  7: 'it does not know the command',
  8: 'it does not know the type of address',
};

/**
 * Has a SOCKS version 5 proxy dial, RFC 1928; logs in by user and password where it wants that, RFC 1929.
 *
 * @throws ViasshError PROXY_FAILED, AUTH_FAILED, OPTION_INVALID; ProxyClosed
 */
export async function connectBySocks5(
  socket: Socket,
  proxy: ProxyAddress,
  target: ProxyTarget,
  password: () => Promise<string | undefined>,
): Promise<void> {
  const address = addressOf(target.host);
  const methods = proxy.user === undefined ? [NO_LOGIN] : [NO_LOGIN, USER_AND_PASSWORD];
  socket.write(Buffer.from([VERSION, methods.length, ...methods]));
  const [version, method] = (await readBytes(socket, 2)) as unknown as [number, number];
  if (version !== VERSION) throw notSocks(proxy, target);
  if (method === NOTHING_ACCEPTABLE || !methods.includes(method)) throw proxyLoginFailed(proxy, wanted(proxy, method));
  if (method === USER_AND_PASSWORD) await logIn(socket, proxy, target, await password());
  const port = Buffer.alloc(2);
  port.writeUInt16BE(target.port);
  socket.write(Buffer.concat([Buffer.from([VERSION, CONNECT, 0]), address, port]));
  await readReply(socket, proxy, target);
}

async function logIn(
  socket: Socket,
  proxy: ProxyAddress,
  target: ProxyTarget,
  password: string | undefined,
): Promise<void> {
  if (password === undefined) throw proxyLoginFailed(proxy, 'it wants a password, and nobody gave it');
  const name = counted(proxy.user ?? '', 'the user of the proxy');
  const secret = counted(password, 'the password of the proxy');
  socket.write(Buffer.concat([Buffer.from([1]), name, secret])); // RFC 1929 §2
  const [version, status] = (await readBytes(socket, 2)) as unknown as [number, number];
  if (version !== 1 && version !== VERSION) throw notSocks(proxy, target); // some servers answer with the 5 of SOCKS
  if (status !== 0) throw proxyLoginFailed(proxy, 'it refused the user or the password');
}

async function readReply(socket: Socket, proxy: ProxyAddress, target: ProxyTarget): Promise<void> {
  const [version, reply] = (await readBytes(socket, 2)) as unknown as [number, number]; // after a refusal, some send no more
  if (version !== VERSION) throw notSocks(proxy, target);
  if (reply !== 0) throw proxyFailed(proxy, target, replies[reply] ?? `reply ${reply}, which has no meaning`);
  const [, type] = (await readBytes(socket, 2)) as unknown as [number, number];
  if (type !== IPV4 && type !== IPV6 && type !== NAME) throw notSocks(proxy, target);
  const length = type === IPV4 ? 4 : type === IPV6 ? 16 : ((await readBytes(socket, 1))[0] ?? 0);
  await readBytes(socket, length + 2); // where the proxy dialled from: of no use here
}

/** RFC 1928 §5. A name goes as it is: the proxy resolves it. */
function addressOf(host: string): Buffer {
  if (isIPv4(host)) return Buffer.from([IPV4, ...host.split('.').map(Number)]);
  return isIPv6(host)
    ? Buffer.from([IPV6, ...ipv6Bytes(host)])
    : Buffer.concat([Buffer.from([NAME]), counted(host, 'the host name')]);
}

function ipv6Bytes(host: string): Buffer {
  const groups = new URL(`http://[${host}]`).hostname.slice(1, -1); // every form becomes the shortest one, RFC 5952
  const [head = '', tail] = groups.split('::');
  const before = head === '' ? [] : head.split(':');
  const after = tail === undefined || tail === '' ? [] : tail.split(':');
  const zeros = Array.from({ length: 8 - before.length - after.length }, () => '0');
  const all = [...before, ...zeros, ...after].map((group) => group.padStart(4, '0')).join('');
  return Buffer.from(all, 'hex');
}

/** A length of one byte, and the text. */
function counted(text: string, what: string): Buffer {
  const bytes = Buffer.from(text);
  if (bytes.length === 0 || bytes.length > 255)
    throw new ViasshError('OPTION_INVALID', `${what} has ${bytes.length} bytes; SOCKS takes 1 to 255`);
  return Buffer.concat([Buffer.from([bytes.length]), bytes]);
}

function wanted(proxy: ProxyAddress, method: number): string {
  if (method !== NOTHING_ACCEPTABLE && method !== USER_AND_PASSWORD) return `it wants the login method ${method}`;
  return proxy.user === undefined ? 'it wants a user and a password' : 'it takes no login by user and password';
}

function notSocks(proxy: ProxyAddress, target: ProxyTarget): ViasshError {
  return proxyFailed(proxy, target, 'it does not speak SOCKS version 5', {
    hint: 'check its address and port; http:// is for proxies that speak HTTP CONNECT',
  });
}
