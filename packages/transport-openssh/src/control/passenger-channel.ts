import { Readable } from 'node:stream';
import { capabilityMissing, type ExitStatus, type SessionChannel } from '@viassh/core';
import { type IsAlive, LocalInbound } from '../forward/local-inbound.ts';
import { StreamChannel } from '../forward/stream-channel.ts';
import type { Passenger } from './passenger.ts';

/**
 * A session channel on a passenger's pipes. A remote signal is lost on the way: such an end is `missing`. The passenger holds
 * them open, so the far end's EOF shows when the remote command has ended, not before.
 */
export class PassengerChannel extends StreamChannel implements SessionChannel {
  readonly stderr: PassengerStderr;
  readonly exit: Promise<ExitStatus>;
  readonly #passenger: Passenger;
  readonly #settleExit: { resolve: (status: ExitStatus) => void; reject: (error: Error) => void };

  constructor(passenger: Passenger, isAlive: IsAlive, onGone: () => void) {
    super({ type: 'session', input: passenger.stdout, output: passenger.stdin, isAlive, onGone });
    this.#passenger = passenger;
    this.stderr = new PassengerStderr(passenger.stderr, isAlive);
    const { promise, resolve, reject } = Promise.withResolvers<ExitStatus>();
    promise.catch(() => undefined); // the loss is also told by the channel itself
    this.exit = promise;
    this.#settleExit = { resolve, reject };
    void this.#followEnd(passenger, isAlive);
  }

  sendSignal(_name: string): void {
    throw capabilityMissing('control', 'signal');
  }

  changeWindow(): void {
    throw capabilityMissing('control', 'pty');
  }

  override _destroy(error: Error | null, done: (error: Error | null) => void): void {
    this.#passenger.end();
    super._destroy(error, (reason) => {
      if (!this.isOver) this.stderr.destroyUnlessEnded(reason);
      done(reason);
    });
  }

  async #followEnd({ ended }: Passenger, alive: IsAlive): Promise<void> {
    const { status } = await ended;
    const closed = this.farEndClosed();
    this.stderr.fetchRest();
    if (status !== undefined) this.#settleExit.resolve({ kind: 'status', code: status });
    else if (await alive()) this.#settleExit.resolve({ kind: 'missing' }); // else it is a loss, which is on its way
    await closed;
  }

  protected override left(reason: Error | undefined): void {
    super.left(reason);
    if (reason !== undefined) {
      this.stderr.lose(reason);
      this.#settleExit.reject(reason);
    } else if (this.destroyed) this.#settleExit.resolve({ kind: 'missing' });
  }
}

/** A passenger's stderr: cut short by a loss, it is destroyed behind its bytes. */
class PassengerStderr extends Readable {
  readonly #inbound: LocalInbound;
  readonly #input: Readable;
  #loss: Error | undefined;

  constructor(input: Readable, isAlive: IsAlive) {
    super();
    this.#input = input;
    this.#inbound = new LocalInbound(this, input, isAlive, () => this.#settle());
    this.on('error', () => undefined); // the channel tells it, too
    this.once('close', () => input.resume());
  }

  fetchRest(): void {
    this.#inbound.fetchRest();
  }

  lose(error: Error): void {
    if (this.#inbound.ended) return;
    this.#loss = error;
    this.#inbound.lose();
    this.#settle();
  }

  /** The channel was destroyed: what the far end had not ended goes with it, but for what a loss left to be read. */
  destroyUnlessEnded(error: Error | null): void {
    this.#input.resume();
    if (!this.#inbound.ended && this.#loss === undefined) this.destroy(error ?? undefined);
  }

  override read(size?: number): unknown {
    const bytes: unknown = super.read(size);
    if (this.#loss !== undefined) queueMicrotask(() => this.#settle());
    return bytes;
  }

  override _read(): void {
    this.#inbound.resume();
  }

  #settle(): void {
    if (this.#loss !== undefined && !this.#inbound.ended && this.#inbound.isEmpty) this.destroy(this.#loss);
  }
}
