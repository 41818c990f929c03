import { Readable } from 'node:stream';
import {
  type ExitStatus,
  Inbound,
  type PtyRequest,
  type SessionChannel,
  type ViasshError,
  wireSignalName,
} from '@viassh/core';
import { readExit } from '../wire/exit-body.ts';
import { errorOf } from '../wire/failure.ts';
import { FrameKind } from '../wire/frame.ts';
import { jsonBody } from '../wire/json-body.ts';
import { ReceiveWindow, stderrWindow } from '../wire/window.ts';
import { LeaseChannel, type LeaseChannelSetup } from './lease-channel.ts';

/** core's SessionChannel on a lease. */
export class LeaseSession extends LeaseChannel implements SessionChannel {
  readonly exit: Promise<ExitStatus>;
  readonly #settle: { resolve(status: ExitStatus): void; reject(error: Error): void };
  readonly #stderr: StderrOfLease;
  readonly #stderrWindow: ReceiveWindow;
  /** What becomes of stderr is settled: it does not go with the channel any more. */
  #stderrApart = false;
  #status: ExitStatus = { kind: 'missing' };
  #closed = false;
  #stderrOver = false;

  constructor(setup: Omit<LeaseChannelSetup, 'type'>) {
    super({ ...setup, type: 'session' });
    const { promise, resolve, reject } = Promise.withResolvers<ExitStatus>();
    promise.catch(() => undefined);
    this.exit = promise;
    this.#settle = { resolve, reject };
    this.#stderrWindow = new ReceiveWindow(stderrWindow(setup.ownWindow));
    this.#stderr = new StderrOfLease((bytes) => {
      const grant = this.#stderrWindow.consumed(bytes);
      if (grant > 0) setup.wire.sendNumber(FrameKind.stderrWindow, setup.id, grant);
    });
  }

  get stderr(): Readable {
    return this.#stderr;
  }

  sendSignal(name: string): void {
    this.setup.wire.sendText(FrameKind.signal, this.setup.id, wireSignalName(name));
  }

  changeWindow({
    columns,
    rows,
    width = 0,
    height = 0,
  }: Pick<PtyRequest, 'columns' | 'rows' | 'width' | 'height'>): void {
    this.setup.wire.sendJson(FrameKind.resize, this.setup.id, { columns, rows, width, height });
  }

  override frame(kind: number, body: Buffer): void {
    if (kind === FrameKind.stderr) {
      this.#stderrWindow.received(body.length);
      this.#stderr.inbound.push(body);
    } else if (kind === FrameKind.stderrEof) {
      this.#endStderr(body.length === 0 ? undefined : errorOf(jsonBody(body)));
    } else if (kind === FrameKind.exit) {
      this.#tellExit(jsonBody(body));
    } else {
      super.frame(kind, body);
      if (kind === FrameKind.eof) this.#stderrApart = true; // one EOF for both: what is left of stderr is on its way
    }
  }

  override lost(error: ViasshError): void {
    this.#settle.reject(error); // without effect when the channel was closed before
    this.#stderrApart = true;
    super.lost(error);
  }

  override ended(error: ViasshError | undefined): void {
    if (error !== undefined) {
      this.#settle.reject(error);
      this.#stderrApart = true;
      this.#stderr.inbound.fail(error);
    } else if (!this.#stderrOver) this.#stderr.destroy();
    super.ended(error);
  }

  override _destroy(error: Error | null, done: (error?: Error | null) => void): void {
    if (error === null) this.#settle.resolve(this.#status);
    else this.#settle.reject(error);
    const loss = this.loss;
    if (!this.#stderrApart) this.#stderr.destroy(error ?? undefined);
    else if (!this.isClosedThere && loss !== undefined) this.#stderr.inbound.fail(loss);
    else if (!this.isClosedThere) this.#stderr.inbound.end(); // nothing more is sent to us
    super._destroy(error, done);
  }

  protected override closedThere(error: ViasshError | undefined): void {
    this.#stderrApart = true;
    super.closedThere(error);
  }

  protected override forgetWhenDone(): void {
    this.#closed = true;
    if (this.#stderrOver) this.setup.forget();
  }

  #tellExit({ exit, failure }: Readonly<Record<string, unknown>>): void {
    if (failure !== undefined) return this.#settle.reject(errorOf(failure));
    this.#status = readExit(exit);
    this.#settle.resolve(this.#status);
  }

  #endStderr(error: ViasshError | undefined): void {
    this.#stderrApart = true;
    this.#stderrOver = true;
    if (error === undefined) this.#stderr.inbound.end();
    else this.#stderr.inbound.fail(error);
    if (this.#closed) this.setup.forget();
  }
}

/** A stream of its own that tells what was taken from it. */
class StderrOfLease extends Readable {
  readonly inbound: Inbound;

  constructor(taken: (bytes: number) => void) {
    super();
    this.inbound = new Inbound(this, taken);
    this.on('error', () => undefined);
  }

  override read(size?: number): unknown {
    return this.inbound.take(() => super.read(size));
  }

  override _read(): void {
    // what comes is pushed
  }

  override _destroy(error: Error | null, done: (error?: Error | null) => void): void {
    this.inbound.drop();
    done(error);
  }
}
