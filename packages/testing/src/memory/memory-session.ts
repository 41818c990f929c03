import type { ExitStatus, PtyRequest, SessionChannel, ViasshError } from '@viassh/core';
import { isViasshError, wireSignalName } from '@viassh/core';
import type { FarSession } from './far-end.ts';
import { MemoryChannel } from './memory-channel.ts';

/** A session channel in memory. */
export class MemorySession extends MemoryChannel implements SessionChannel {
  readonly exit: Promise<ExitStatus>;
  readonly #session: FarSession;

  /** `windowSize` in bytes, for each direction. */
  constructor(far: FarSession, windowSize: number) {
    super('session', far, windowSize);
    this.#session = far;
    this.exit = new Promise((resolve, reject) => {
      void exitWhenDone(far).then(resolve);
      this.once('error', (error: ViasshError) => {
        if (isViasshError(error, 'CONNECTION_LOST')) reject(error);
      });
      this.once('close', () => resolve({ kind: 'missing' }));
    });
    this.exit.catch(() => undefined);
  }

  sendSignal(name: string): void {
    this.#session.signal(wireSignalName(name));
  }

  changeWindow({ columns, rows }: Pick<PtyRequest, 'columns' | 'rows'>): void {
    this.#session.changeWindow(columns, rows);
  }
}

/** The status counts once the far end has closed, and a loss before that comes first. */
async function exitWhenDone(far: FarSession): Promise<ExitStatus> {
  await far.done;
  return await far.exit;
}
