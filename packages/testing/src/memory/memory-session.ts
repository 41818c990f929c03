import { type ExitStatus, type PtyRequest, type SessionChannel, wireSignalName } from '@viassh/core';
import type { FarSession } from './far-end.ts';
import { MemoryChannel } from './memory-channel.ts';

/** A session channel in memory. */
export class MemorySession extends MemoryChannel implements SessionChannel {
  readonly exit: Promise<ExitStatus>;
  readonly #session: FarSession;
  readonly #settleExit: { resolve(status: ExitStatus): void; reject(error: Error): void };
  #status: ExitStatus = { kind: 'missing' };

  /** `windowSize` in bytes, for each direction. */
  constructor(far: FarSession, windowSize: number) {
    super('session', far, windowSize);
    this.#session = far;
    const { promise, resolve, reject } = Promise.withResolvers<ExitStatus>();
    promise.catch(() => undefined);
    this.exit = promise;
    this.#settleExit = { resolve, reject };
    void far.exit.then((status) => (this.#status = status));
    void far.done.then(() => far.exit).then(resolve);
  }

  override lose(error: Error): void {
    this.#settleExit.reject(error);
    super.lose(error);
  }

  override _destroy(error: Error | null, done: (error?: Error | null) => void): void {
    if (error === null) this.#settleExit.resolve(this.#status);
    else this.#settleExit.reject(error);
    super._destroy(error, done);
  }

  sendSignal(name: string): void {
    this.#session.signal(wireSignalName(name));
  }

  changeWindow({ columns, rows }: Pick<PtyRequest, 'columns' | 'rows'>): void {
    this.#session.changeWindow(columns, rows);
  }
}
