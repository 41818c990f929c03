import type { ListenOptions, Socket } from 'node:net';
import {
  checkTcpipTarget,
  forwardRefused,
  type RemoteAddress,
  type RemoteForwardRequest,
  type RemoteListener,
} from '@viassh/core';
import { type FarListener, listenThere } from './far-listener.ts';
import type { MemoryServerOptions } from './memory-server.ts';

/** A remote forward of the memory server: a real listener on this machine. */
export class MemoryListener implements RemoteListener {
  readonly address: RemoteAddress;
  readonly closed: Promise<void>;
  readonly #listener: FarListener;
  readonly #ended: () => void;

  constructor(address: RemoteAddress, listener: FarListener) {
    this.address = address;
    this.#listener = listener;
    const { promise, resolve } = Promise.withResolvers<void>();
    this.closed = promise;
    this.#ended = resolve;
  }

  async close(): Promise<void> {
    this.#listener.close();
    this.#ended();
  }

  async [Symbol.asyncDispose](): Promise<void> {
    await this.close();
  }
}

/**
 * Listens as an sshd without GatewayPorts does: on loopback, whatever address was asked for.
 *
 * @throws ViasshError FORWARD_REFUSED, OPTION_INVALID
 */
export async function listenFor(
  request: RemoteForwardRequest,
  { refuse = [], permitListen }: Pick<MemoryServerOptions, 'refuse' | 'permitListen'>,
  take: (socket: Socket) => void,
): Promise<MemoryListener> {
  if (request.kind === 'tcpip') checkTcpipTarget({ host: 'localhost', port: request.port });
  const type = request.kind === 'tcpip' ? 'forwarded-tcpip' : 'forwarded-streamlocal@openssh.com';
  const permitted = request.kind === 'streamlocal' || permitListen === undefined || permitListen.includes(request.port);
  if (refuse.includes(type) || !permitted) throw forwardRefused(request);
  const place: ListenOptions =
    request.kind === 'tcpip' ? { host: '127.0.0.1', port: request.port } : { path: request.path };
  try {
    const listener = await listenThere(place, take);
    return new MemoryListener(addressOf(request, listener), listener);
  } catch (error) {
    throw forwardRefused(request, undefined, error);
  }
}

function addressOf(request: RemoteForwardRequest, { port }: FarListener): RemoteAddress {
  if (request.kind === 'streamlocal') return { kind: 'streamlocal', path: request.path };
  return { kind: 'tcpip', bindAddress: request.bindAddress ?? 'localhost', port };
}
