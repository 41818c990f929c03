import type { Readable, Writable } from 'node:stream';
import {
  type ConnectOptions,
  describeProxy,
  dialThroughProxy,
  type ProxyAddress,
  type ResolvedDestination,
  sanitize,
  ViasshError,
} from '@viassh/core';

/** A wire that a proxy dialled, for an ssh that takes its standard streams for its wire. */
export interface ProxyWire {
  join(fromSsh: Readable, toSsh: Writable): void;
  close(): void;
}

/**
 * Has a proxy dial a hop. The bytes go through this process: what a proxy sent along with its answer is here already,
 * so the descriptor alone cannot be given away.
 *
 * @throws ViasshError what `dialThroughProxy` throws; CONNECT_TIMEOUT by the hop's ConnectTimeout
 */
export async function dialProxyWire(
  proxy: ProxyAddress,
  hop: ResolvedDestination,
  { signal, authenticate }: Pick<ConnectOptions, 'signal' | 'authenticate'>,
): Promise<ProxyWire> {
  const { hostName: host, port, addressFamily, bindAddress } = hop;
  const waiting = new ConnectTimer(hop, proxy);
  const either = AbortSignal.any([waiting.signal, ...(signal === undefined ? [] : [signal])]);
  const askPassword = async (): Promise<string | undefined> => {
    if (hop.batchMode) return undefined;
    waiting.stop(); // a person types
    const text = sanitize(`password for ${describeProxy(proxy)}: `);
    const password = await authenticate?.ask({ kind: 'password', text, echo: false }, either).catch(() => undefined);
    waiting.start();
    return password;
  };
  try {
    waiting.start();
    const target = { host, port };
    const socket = await dialThroughProxy(proxy, target, { signal: either, askPassword, addressFamily, bindAddress });
    socket.setKeepAlive(hop.raw.get('tcpkeepalive')?.[0] !== 'no');
    return {
      join: (fromSsh, toSsh) => {
        socket.once('close', () => {
          toSsh.end(); // behind what ssh has yet to read
          fromSsh.resume(); // ssh may write until it comes to that end
        });
        for (const stream of [fromSsh, toSsh]) stream.on('error', () => socket.destroy());
        fromSsh.pipe(socket).pipe(toSsh);
      },
      close: () => void socket.destroy(),
    };
  } finally {
    waiting.stop();
  }
}

/** ConnectTimeout of a hop, while nobody is asked anything. */
class ConnectTimer {
  readonly #controller = new AbortController();
  readonly #expire: () => void;
  readonly #seconds: number | undefined;
  #timer: NodeJS.Timeout | undefined;

  constructor({ connectTimeout }: Pick<ResolvedDestination, 'connectTimeout'>, proxy: ProxyAddress) {
    this.#seconds = connectTimeout;
    this.#expire = () =>
      this.#controller.abort(
        new ViasshError(
          'CONNECT_TIMEOUT',
          `the proxy ${describeProxy(proxy)} did not connect us within ${connectTimeout} s`,
          {
            hint: 'ConnectTimeout sets how long to wait; the proxy, or the host behind it, may be down',
          },
        ),
      );
  }

  get signal(): AbortSignal {
    return this.#controller.signal;
  }

  start(): void {
    if (this.#seconds !== undefined && this.#seconds > 0) this.#timer = setTimeout(this.#expire, this.#seconds * 1000);
  }

  stop(): void {
    clearTimeout(this.#timer);
  }
}
