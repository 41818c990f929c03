import type { Socket } from 'node:net';
import { join } from 'node:path';
import {
  abortedError,
  forwardRefused,
  type IncomingChannelHandler,
  type RemoteAddress,
  type RemoteForwardRequest,
  type RemoteListener,
  type ViasshError,
} from '@viassh/core';
import type { ControlClient, ForwardAnswer, MuxForward } from '../mux/control-client.ts';
import { orAborted } from '../or-aborted.ts';
import { checkForwardRequest, listenEnd, socketName } from './forward-place.ts';
import { type ForwardSocket, listenForForward } from './forward-socket.ts';
import { offerChannel } from './offer-channel.ts';
import { socketChannel } from './socket-channel.ts';
import type { StreamChannel } from './stream-channel.ts';

const CANCEL_DEADLINE = 5000; // milliseconds until a master that does not answer is left to itself

/** The folder in which the sockets behind a master's forwards are. */
export interface ForwardFolder {
  /** Below it every socket is ours. */
  readonly path: string;
  /**
   * Called before the socket of a forward is made; what it gives is called when that is gone. Absent where nobody but this
   * process makes forwards on the master.
   *
   * @throws ViasshError FORWARD_REFUSED when another process has it
   */
  claim?(forward: MuxForward, request: RemoteForwardRequest): Promise<() => Promise<void>>;
}

/** What stands, or is on its way. */
interface Standing {
  readonly forward: MuxForward;
  readonly socket: ForwardSocket;
  readonly release: (() => Promise<void>) | undefined;
}

/** All remote forwards of one connection, asked for by control requests; each channel comes to a Unix socket of ours. */
export class RemoteForwards {
  readonly #openControl: () => Promise<ControlClient>;
  readonly #folder: ForwardFolder;
  readonly #listeners = new Set<MasterListener>();
  readonly #channels = new Set<StreamChannel>();
  readonly #undecided = new Set<Socket>();
  readonly #idleWaiters: (() => void)[] = [];
  /** Requests that were given up while the server decided, by the path of their socket. */
  readonly #abandoned = new Map<string, Promise<void>>();
  #asking = 0;
  #refusal: ViasshError | undefined;
  #ended: { readonly reason: ViasshError | undefined } | undefined;

  /** @param openControl gives the connection's control client, the same each time */
  constructor(openControl: () => Promise<ControlClient>, folder: ForwardFolder) {
    this.#openControl = openControl;
    this.#folder = folder;
  }

  /** Forwards stand, are being asked for, or have channels. */
  get areUsed(): boolean {
    const { size } = this.#listeners;
    return size + this.#channels.size + this.#undecided.size + this.#abandoned.size + this.#asking > 0;
  }

  /** As Connection.requestForward. */
  async request(
    request: RemoteForwardRequest,
    handler: IncomingChannelHandler,
    options: { readonly signal?: AbortSignal | undefined } = {},
  ): Promise<RemoteListener> {
    this.#asking += 1;
    try {
      return await this.#request(request, handler, options);
    } finally {
      this.#asking -= 1;
    }
  }

  async #request(
    request: RemoteForwardRequest,
    handler: IncomingChannelHandler,
    { signal }: { readonly signal?: AbortSignal | undefined },
  ): Promise<RemoteListener> {
    checkForwardRequest(request);
    const listen = listenEnd(request);
    const path = join(this.#folder.path, socketName(listen));
    const forward: MuxForward = { kind: 'remote', listen, connect: { path } };
    this.#checkOpen(signal);
    const control = await orAborted(this.#openControl(), signal);
    await orAborted(this.#abandoned.get(path), signal);
    this.#checkOpen(signal);
    const standing = await this.#listen(control, request, forward, handler);
    if (signal?.aborted === true) {
      await withdraw(standing);
      throw abortedError(signal.reason);
    }
    const { answer, error } = await this.#ask(control, standing, signal);
    if (answer?.granted === true && this.#refusal === undefined) {
      return this.#standing(control, standing, addressOf(request, answer.port));
    }
    if (answer !== undefined) await withdraw(standing);
    if (answer?.granted === false) throw forwardRefused(request, answer.said);
    throw this.#refusal ?? error ?? abortedError();
  }

  /** From now on nothing comes in and nothing is asked for; what is open goes on. */
  refuse(error: ViasshError): void {
    this.#refusal ??= error;
  }

  /** Resolves when no channel is left. */
  async idle(): Promise<void> {
    if (this.#channels.size > 0) await new Promise<void>((resolve) => this.#idleWaiters.push(resolve));
  }

  /** Cancels what stands, at the master too. */
  async closeListeners(): Promise<void> {
    await Promise.all([...[...this.#listeners].map((listener) => listener.close()), ...this.#abandoned.values()]);
  }

  /** The master is gone, or will be: ends every channel, quietly without a reason, and takes the sockets away. */
  async end(why: ViasshError, lost: boolean): Promise<void> {
    this.refuse(why);
    const reason = lost ? why : undefined;
    this.#ended ??= { reason };
    for (const channel of this.#channels) channel.abandon(reason);
    for (const socket of this.#undecided) socket.destroy();
    await Promise.all([...this.#listeners].map((listener) => listener.end()));
    await Promise.all(this.#abandoned.values());
  }

  async #listen(
    control: ControlClient,
    request: RemoteForwardRequest,
    forward: MuxForward,
    handler: IncomingChannelHandler,
  ): Promise<Standing> {
    const path = 'path' in forward.connect ? forward.connect.path : '';
    const release = await this.#folder.claim?.(forward, request);
    try {
      const type = request.kind === 'tcpip' ? 'forwarded-tcpip' : 'forwarded-streamlocal@openssh.com';
      const socket = await listenForForward(path, (accepted) => this.#offer(control, type, accepted, handler));
      return { forward, socket, release };
    } catch (error) {
      await release?.();
      if ((error as NodeJS.ErrnoException).code !== 'EADDRINUSE') throw error;
      throw forwardRefused(request, 'this connection has asked for it already', error);
    }
  }

  /** The master's answer; no answer when it was aborted, or the master went away: then the rest is done behind it. */
  async #ask(
    control: ControlClient,
    standing: Standing,
    signal: AbortSignal | undefined,
  ): Promise<{ readonly answer?: ForwardAnswer; readonly error?: unknown }> {
    const asking = control.openForward(standing.forward);
    try {
      return { answer: await orAborted(asking, signal) };
    } catch (error) {
      this.#abandon(control, standing, asking);
      return { error };
    }
  }

  #abandon(control: ControlClient, standing: Standing, asking: Promise<ForwardAnswer>): void {
    const { path } = standing.socket;
    const undo = asking
      .then((answer) => (answer.granted ? cancel(control, standing) : undefined))
      .catch(() => undefined)
      .then(() => withdraw(standing))
      .finally(() => this.#abandoned.delete(path));
    this.#abandoned.set(path, undo);
  }

  #standing(control: ControlClient, standing: Standing, address: RemoteAddress): RemoteListener {
    const listener = new MasterListener(control, standing, address, () => this.#listeners.delete(listener));
    this.#listeners.add(listener);
    return listener;
  }

  #offer(control: ControlClient, type: string, socket: Socket, handler: IncomingChannelHandler): void {
    if (this.#refusal !== undefined) {
      socket.destroy();
      return;
    }
    this.#undecided.add(socket);
    const decided = (): boolean => this.#undecided.delete(socket);
    const accept = (): StreamChannel => {
      decided();
      const channel = socketChannel(
        type,
        socket,
        () => isAlive(control),
        () => this.#left(channel),
      );
      this.#channels.add(channel);
      if (this.#ended !== undefined) channel.abandon(this.#ended.reason);
      return channel;
    };
    const refuse = (): void => {
      decided();
      socket.destroy();
    };
    offerChannel({ type, accept, refuse }, handler);
  }

  #left(channel: StreamChannel): void {
    this.#channels.delete(channel);
    if (this.#channels.size > 0) return;
    for (const waiter of this.#idleWaiters.splice(0)) waiter();
  }

  #checkOpen(signal: AbortSignal | undefined): void {
    if (this.#refusal !== undefined) throw this.#refusal;
    if (signal?.aborted === true) throw abortedError(signal.reason);
  }
}

class MasterListener implements RemoteListener {
  readonly address: RemoteAddress;
  readonly closed: Promise<void>;
  readonly #control: ControlClient;
  readonly #standing: Standing;
  readonly #onClosed: () => void;
  #closing: Promise<void> | undefined;

  constructor(control: ControlClient, standing: Standing, address: RemoteAddress, onClosed: () => void) {
    this.#control = control;
    this.#standing = standing;
    this.address = address;
    const { promise, resolve } = Promise.withResolvers<void>();
    this.closed = promise;
    this.#onClosed = () => {
      onClosed();
      resolve();
    };
  }

  async close(): Promise<void> {
    this.#closing ??= cancel(this.#control, this.#standing).then(() => this.#gone());
    await this.#closing;
  }

  /** The far end listens no more, whatever we do. */
  async end(): Promise<void> {
    this.#closing ??= this.#gone();
    await this.#closing;
  }

  async [Symbol.asyncDispose](): Promise<void> {
    await this.close();
  }

  async #gone(): Promise<void> {
    await withdraw(this.#standing);
    this.#onClosed();
  }
}

/** A sign of life of the master, behind whatever it has done before. */
export async function isAlive(control: ControlClient): Promise<boolean> {
  return await control.alive().then(
    () => true,
    () => false,
  );
}

/** A master that is gone has no forwards any more. */
async function cancel(control: ControlClient, { forward }: Standing): Promise<void> {
  await control.closeForward(forward, { deadlineMs: CANCEL_DEADLINE }).catch(() => undefined);
}

async function withdraw({ socket, release }: Standing): Promise<void> {
  await socket.close().catch(() => undefined);
  await release?.().catch(() => undefined);
}

function addressOf(request: RemoteForwardRequest, chosen: number | undefined): RemoteAddress {
  if (request.kind === 'streamlocal') return { kind: 'streamlocal', path: request.path };
  return { kind: 'tcpip', bindAddress: request.bindAddress ?? 'localhost', port: chosen ?? request.port };
}
