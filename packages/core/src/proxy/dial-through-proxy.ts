import { connect, isIPv6, type Socket } from 'node:net';
import { checkDestination } from '../destination/destination.ts';
import { describeProxy, type ProxyAddress } from '../destination/proxy-address.ts';
import type { ResolvedDestination } from '../destination/resolved-destination.ts';
import type { ErrorCode } from '../errors/error-codes.ts';
import { abortedError, ViasshError } from '../errors/viassh-error.ts';
import { connectByHttp } from './http-connect.ts';
import { proxyFailed, proxyLoginFailed, type ProxyTarget } from './proxy-failed.ts';
import { ProxyClosed } from './read-from.ts';
import { connectBySocks5 } from './socks5.ts';

/** How the proxy is dialled. */
export interface ProxyDialOptions extends Partial<Pick<ResolvedDestination, 'addressFamily' | 'bindAddress'>> {
  readonly signal: AbortSignal;
  /** Asked when the proxy wants a password, there is a user, and none was given; `undefined` when nobody answers. */
  readonly askPassword?: (() => Promise<string | undefined>) | undefined;
}

/** How long one address of several may take before the next is tried. */
const NEXT_ADDRESS_MS = 5000;

/**
 * A connection to the target, made by a proxy. Names are resolved by the proxy. The socket has TCP_NODELAY set and
 * holds what the target has already said, paused until somebody listens; an 'error' that nobody hears is no crash.
 *
 * @throws ViasshError PROXY_FAILED, AUTH_FAILED when the proxy does not take our login; HOST_NOT_FOUND,
 * CONNECTION_REFUSED, CONNECT_TIMEOUT, HOST_UNREACHABLE for the proxy itself; OPTION_INVALID, DESTINATION_INVALID, ABORTED
 */
export async function dialThroughProxy(
  proxy: ProxyAddress,
  target: ProxyTarget,
  options: ProxyDialOptions,
): Promise<Socket> {
  checkDestination(target);
  if (target.host.includes('%'))
    throw new ViasshError('OPTION_INVALID', `the zone of ${target.host} means nothing to a proxy`);
  const password = async (): Promise<string | undefined> => proxy.password ?? (await options.askPassword?.());
  if (proxy.protocol === 'socks5') {
    const through = async (socket: Socket): Promise<true> => {
      await connectBySocks5(socket, proxy, target, password);
      return true;
    };
    return (await attempt(proxy, target, options, through)) as Socket;
  }
  return await dialByHttp(proxy, target, options, password);
}

/** An answer 407 ends the connection (the proxy may close it), so the password goes over a new one. */
async function dialByHttp(
  proxy: ProxyAddress,
  target: ProxyTarget,
  options: ProxyDialOptions,
  askPassword: () => Promise<string | undefined>,
): Promise<Socket> {
  let schemes: readonly string[] = [];
  const tryWith = async (password: string | undefined): Promise<Socket | undefined> =>
    await attempt(proxy, target, options, async (socket) => {
      const outcome = await connectByHttp(socket, proxy, target, password);
      if (outcome.kind === 'login') schemes = outcome.schemes;
      return outcome.kind === 'through';
    });
  const given = proxy.user === undefined ? undefined : proxy.password;
  const first = await tryWith(given);
  if (first !== undefined) return first;
  if (given !== undefined) throw proxyLoginFailed(proxy, 'it refused the user or the password');
  if (!schemes.includes('basic'))
    throw proxyLoginFailed(proxy, `it wants a login by ${schemes.join(', ') || 'no scheme that it names'}`);
  if (proxy.user === undefined) throw proxyLoginFailed(proxy, 'it wants a user and a password');
  const password = await askPassword();
  if (options.signal.aborted) throw abortedError(options.signal.reason);
  if (password === undefined) throw proxyLoginFailed(proxy, 'it wants a password, and nobody gave it');
  const second = await tryWith(password);
  if (second === undefined) throw proxyLoginFailed(proxy, 'it refused the user or the password');
  return second;
}

/** Dials the proxy and talks to it. `undefined`, and nothing is left open, when `talk` says that it did not get through. */
async function attempt(
  proxy: ProxyAddress,
  target: ProxyTarget,
  options: ProxyDialOptions,
  talk: (socket: Socket) => Promise<boolean>,
): Promise<Socket | undefined> {
  const { signal } = options;
  const aborted = Promise.withResolvers<never>();
  aborted.promise.catch(() => undefined);
  const onAbort = (): void => aborted.reject(abortedError(signal.reason));
  if (signal.aborted) throw abortedError(signal.reason);
  signal.addEventListener('abort', onAbort, { once: true });
  const socket = connect({
    host: proxy.host,
    port: proxy.port,
    family: familyOf(options),
    localAddress: options.bindAddress,
    noDelay: true,
    keepAlive: true,
    autoSelectFamilyAttemptTimeout: NEXT_ADDRESS_MS,
  });
  socket.on('error', () => undefined);
  let through = false;
  try {
    await Promise.race([connected(socket, proxy), aborted.promise]);
    through = await Promise.race([talk(socket), aborted.promise]);
    return through ? socket : undefined;
  } catch (error) {
    throw error instanceof ProxyClosed
      ? proxyFailed(proxy, target, `${error.message} in the middle of its answer`, { cause: error })
      : error;
  } finally {
    signal.removeEventListener('abort', onAbort);
    if (!through) socket.destroy();
  }
}

function connected(socket: Socket, proxy: ProxyAddress): Promise<void> {
  return new Promise((resolve, reject) => {
    socket.once('connect', () => resolve());
    socket.once('error', (error) => reject(dialError(error, proxy)));
  });
}

const errnos: Readonly<Record<string, readonly [ErrorCode, string]>> = {
  ENOTFOUND: ['HOST_NOT_FOUND', 'its name has no address'],
  EAI_AGAIN: ['HOST_NOT_FOUND', 'its name has no address'],
  EAI_NODATA: ['HOST_NOT_FOUND', 'its name has no address'],
  ECONNREFUSED: ['CONNECTION_REFUSED', 'nothing listens there'],
  ETIMEDOUT: ['CONNECT_TIMEOUT', 'it did not answer'],
};

function dialError(
  error: Error & { code?: string; errors?: (Error & { code?: string })[] },
  proxy: ProxyAddress,
): ViasshError {
  const codes = [error, ...(error.errors ?? [])].map(({ code }) => code ?? '');
  const known = codes.map((code) => errnos[code]).find((entry) => entry !== undefined);
  const [code, reason] = known ?? (['HOST_UNREACHABLE', error.message] as const);
  return new ViasshError(code, `the proxy ${describeProxy(proxy)} cannot be reached: ${reason}`, {
    hint: 'check the address and the port of the proxy',
    cause: error,
  });
}

function familyOf({ addressFamily, bindAddress }: ProxyDialOptions): 0 | 4 | 6 {
  if (addressFamily === 'inet') return 4;
  if (addressFamily === 'inet6') return 6;
  return bindAddress === undefined ? 0 : isIPv6(bindAddress) ? 6 : 4;
}
