import { type IncomingChannelHandler, type IncomingChannelType, openFailure, ViasshError } from '@viassh/core';
import type { ChannelHost } from '../channel-host.ts';
import type { ForwardTable } from '../forward/forward-table.ts';
import { onServerOpening, type RawServerOpening } from '../ssh2-private/server-opening.ts';
import { decide } from './decide.ts';

/** Leads what the server opens to whom it is for. What was not asked for is refused (SECURITY: an X11 or agent channel that comes by itself). */
export class IncomingChannels {
  readonly #host: ChannelHost;
  readonly #forwards: ForwardTable;
  readonly #fallbacks: ReadonlyMap<string, IncomingChannelHandler>;
  readonly #handlers = new Map<string, Registration>();
  readonly #expected = new Set<string>();

  /** `fallbacks` get the kinds that nobody else took. */
  constructor(
    host: ChannelHost,
    forwards: ForwardTable,
    fallbacks: ReadonlyMap<IncomingChannelType, IncomingChannelHandler>,
  ) {
    this.#host = host;
    this.#forwards = forwards;
    this.#fallbacks = fallbacks;
    onServerOpening(host.client, (opening) => this.#opened(opening));
  }

  /** @throws ViasshError OPTION_INVALID when the kind is taken */
  take(type: IncomingChannelType, handler: IncomingChannelHandler): Disposable {
    if (this.#handlers.has(type))
      throw new ViasshError('OPTION_INVALID', `${type} channels of this connection have a handler`, {
        hint: 'dispose of that one first',
      });
    const registration: Registration = { handler }; // the same function may be registered again later
    this.#handlers.set(type, registration);
    const giveBack = (): void => {
      if (this.#handlers.get(type) === registration) this.#handlers.delete(type);
    };
    return { [Symbol.dispose]: giveBack };
  }

  /** We ask the server for such channels now. */
  expect(type: IncomingChannelType): void {
    this.#expected.add(type);
  }

  #opened(opening: RawServerOpening): void {
    const { type } = opening;
    if (this.#host.ended.aborted) return opening.refuse(openFailure.prohibited, 'the connection is being closed');
    const known = this.#forwards.knows(type) || this.#isKind(type);
    if (!known) return opening.refuse(openFailure.unknownType, '');
    const handler =
      this.#forwards.handlerFor(opening) ?? (this.#expected.has(type) ? this.#kindHandler(type) : undefined);
    if (handler === undefined) opening.refuse(openFailure.prohibited, 'not asked for');
    else void decide(opening, handler, this.#host);
  }

  #isKind(type: string): boolean {
    return type === 'x11' || type === 'auth-agent@openssh.com';
  }

  #kindHandler(type: string): IncomingChannelHandler | undefined {
    return this.#handlers.get(type)?.handler ?? this.#fallbacks.get(type);
  }
}

interface Registration {
  readonly handler: IncomingChannelHandler;
}
