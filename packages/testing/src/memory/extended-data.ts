import { Readable } from 'node:stream';
import { Inbox } from './inbox.ts';

/** A channel's stderr: a stream of its own on the window of the channel. */
export class ExtendedData extends Readable {
  readonly inbox: Inbox;

  /** `consumed` is told what went into it, or was for nobody. */
  constructor(consumed: (bytes: number) => void) {
    super();
    this.inbox = new Inbox(this, consumed);
    this.on('error', () => undefined);
  }

  override read(size?: number): unknown {
    const chunk: unknown = super.read(size);
    this.inbox.taken();
    return chunk;
  }

  override _read(): void {
    this.inbox.want();
  }

  override _destroy(error: Error | null, done: (error?: Error | null) => void): void {
    this.inbox.drop();
    done(error);
  }
}
