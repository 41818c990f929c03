import { abortedError, type PacketDevice, type PluginContext, toViasshError, ViasshError } from '@viassh/core';

/** Why packets do not go any more. */
export type LinkOver =
  /** The far end ended it in good order. */
  | { readonly kind: 'far-end' }
  /** The carrier was lost; another one may do. */
  | { readonly kind: 'lost'; readonly error: ViasshError }
  /** Nothing more is to be tried. */
  | { readonly kind: 'stop'; readonly error: ViasshError };

/** Watches what ends a link for good, beside the carrier of the moment. */
export class LinkEnd implements Disposable {
  readonly #over = Promise.withResolvers<LinkOver>();
  readonly #signal: AbortSignal;
  readonly #onAbort = (): void => this.#stop(abortedError(this.#signal.reason));

  constructor({ connection, signal }: Pick<PluginContext, 'connection' | 'signal'>, device: PacketDevice) {
    this.#signal = signal;
    signal.addEventListener('abort', this.#onAbort, { once: true });
    if (signal.aborted) this.#onAbort();
    device.closed.catch((error: unknown) => this.#stop(toViasshError(error)));
    void connection.closed.then((reason) =>
      this.#stop(
        reason.kind === 'lost' ? reason.error : new ViasshError('CONNECTION_CLOSED', 'the connection was closed'),
      ),
    );
  }

  /** Resolves with what comes first: an end for good, or that of the carrier whose `closed` it is. */
  async or(closed: Promise<void>): Promise<LinkOver> {
    return await Promise.race([
      this.#over.promise,
      closed.then(
        (): LinkOver => ({ kind: 'far-end' }),
        (error: unknown): LinkOver => ({ kind: 'lost', error: toViasshError(error) }),
      ),
    ]);
  }

  [Symbol.dispose](): void {
    this.#signal.removeEventListener('abort', this.#onAbort);
  }

  #stop(error: ViasshError): void {
    this.#over.resolve({ kind: 'stop', error });
  }
}
