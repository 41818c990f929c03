import { type RemoteAddress, type RemoteListener, ViasshError } from '@viassh/core';
import { FrameKind } from '../wire/frame.ts';
import type { FrameWire } from '../wire/frame-wire.ts';
import type { LeasedId } from './leased-id.ts';

/** A remote forward on a lease. */
export class LeaseListener implements RemoteListener, LeasedId {
  readonly address: RemoteAddress;
  readonly closed: Promise<void>;
  readonly #resolve: () => void;
  readonly #cancel: () => void;
  readonly #forget: () => void;
  #cancelled = false;

  /** `forget`: the broker has nothing more to say of it. */
  constructor(address: RemoteAddress, wire: FrameWire, id: number, forget: () => void) {
    this.address = address;
    const { promise, resolve } = Promise.withResolvers<void>();
    this.closed = promise;
    this.#resolve = resolve;
    this.#cancel = () => wire.send(FrameKind.close, id);
    this.#forget = forget;
  }

  async close(): Promise<void> {
    if (!this.#cancelled) this.#cancel();
    this.#cancelled = true;
    await this.closed;
  }

  async [Symbol.asyncDispose](): Promise<void> {
    await this.close();
  }

  frame(kind: number): void {
    if (kind !== FrameKind.close)
      throw new ViasshError('PROTOCOL_ERROR', `a frame of kind ${kind} is not for a remote forward`);
    this.#forget();
    this.#resolve();
  }

  lost(): void {
    this.#resolve();
  }

  ended(): void {
    this.#resolve();
  }
}
