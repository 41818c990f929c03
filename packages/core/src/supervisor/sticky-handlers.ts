import type { IncomingChannel, IncomingChannelHandler, IncomingChannelType } from '../connection/incoming-channel.ts';
import { toViasshError, ViasshError } from '../errors/viassh-error.ts';
import type { Logger } from '../log/logger.ts';
import type { ConnectionUse } from './connection-use.ts';

interface Taken {
  readonly handler: IncomingChannelHandler;
  registered: Disposable | undefined;
}

/** Who takes the channels that a server opens by itself, on one connection after the other. */
export class StickyHandlers {
  readonly #taken = new Map<IncomingChannelType, Taken>();
  readonly #log: Logger;

  constructor(log: Logger) {
    this.#log = log;
  }

  /** @throws ViasshError OPTION_INVALID when the kind is taken; as Connection.onIncomingChannel, where there is a connection */
  take(type: IncomingChannelType, handler: IncomingChannelHandler, use: ConnectionUse | undefined): Disposable {
    if (this.#taken.has(type)) throw new ViasshError('OPTION_INVALID', `somebody takes the ${type} channels already`);
    const taken: Taken = { handler, registered: use && register(use, type, handler) };
    this.#taken.set(type, taken);
    return {
      [Symbol.dispose]: () => {
        if (this.#taken.get(type) !== taken) return;
        this.#taken.delete(type);
        taken.registered?.[Symbol.dispose]();
      },
    };
  }

  /** A new connection came. */
  registerOn(use: ConnectionUse): void {
    for (const [type, taken] of this.#taken) {
      try {
        taken.registered = register(use, type, taken.handler);
      } catch (error) {
        taken.registered = undefined;
        this.#log.warning(`nobody takes ${type} channels on this connection: ${toViasshError(error).message}`);
      }
    }
  }

  /** No more. */
  clear(): void {
    for (const { registered } of this.#taken.values()) registered?.[Symbol.dispose]();
    this.#taken.clear();
  }
}

/** The same channel; taken, it counts as one of the connection's. */
export function countedIncoming(incoming: IncomingChannel, use: ConnectionUse): IncomingChannel {
  const { type, originator } = incoming;
  return {
    type,
    originator,
    accept: () => use.adopt(incoming.accept()),
    refuse: (message) => incoming.refuse(message),
  };
}

function register(use: ConnectionUse, type: IncomingChannelType, handler: IncomingChannelHandler): Disposable {
  return use.connection.onIncomingChannel(type, (incoming) => handler(countedIncoming(incoming, use)));
}
