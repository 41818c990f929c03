import { Readable } from 'node:stream';
import {
  type ExitStatus,
  Inbound,
  type PtyRequest,
  sanitize,
  type SessionChannel,
  type ViasshError,
  wireSignalName,
  type X11Request,
} from '@viassh/core';
import type { RawChannel, RawChannelSink, StartRequest } from '../ssh2-private/raw-channel.ts';
import { type ChannelSetup, Ssh2Channel } from './ssh2-channel.ts';

/** What may be asked for on a fresh session channel, RFC 4254 §6.2 to §6.5. */
export interface SessionRequests {
  env(name: string, value: string): void;
  pty(pty: PtyRequest): Promise<boolean>;
  x11(x11: X11Request): Promise<boolean>;
  agentForwarding(): void;
  start(request: StartRequest): Promise<boolean>;
}

/** core's SessionChannel: stderr apart, exit status, signals. */
export class Ssh2SessionChannel extends Ssh2Channel implements SessionChannel {
  readonly exit: Promise<ExitStatus>;
  readonly #raw: RawChannel;
  readonly #stderr: SharedReadable;
  /** What becomes of stderr is settled: it does not go with the channel any more. */
  #stderrApart = false;
  #status: ExitStatus = { kind: 'missing' };
  #settle!: { resolve(status: ExitStatus): void; reject(error: Error): void };

  constructor(raw: RawChannel, setup: Pick<ChannelSetup, 'backlog' | 'window'>) {
    super(raw, { ...setup, type: 'session', closeAfterBothEnds: false });
    this.#raw = raw;
    this.#stderr = new SharedReadable((bytes) => this.credit(bytes));
    this.exit = new Promise((resolve, reject) => {
      this.#settle = { resolve, reject };
    });
    this.exit.catch(() => undefined);
  }

  get stderr(): Readable {
    return this.#stderr;
  }

  /** Requests before the session is handed out. They resolve to whether the server accepted. */
  get requests(): SessionRequests {
    const raw = this.#raw;
    return {
      env: (name, value) => raw.env(name, value),
      pty: ({ term, columns, rows, width = 0, height = 0 }) =>
        new Promise((resolve) => raw.pty({ term, columns, rows, width, height }, resolve)),
      x11: ({ singleConnection = false, protocol, cookie, screen }) =>
        new Promise((resolve) => raw.x11(singleConnection, protocol, cookie, screen, resolve)),
      agentForwarding: () => raw.agentForwarding(),
      start: (request) => new Promise((resolve) => raw.start(request, resolve)),
    };
  }

  sendSignal(name: string): void {
    this.#raw.signal(wireSignalName(name));
  }

  changeWindow({
    columns,
    rows,
    width = 0,
    height = 0,
  }: Pick<PtyRequest, 'columns' | 'rows' | 'width' | 'height'>): void {
    this.#raw.windowChange({ columns, rows, width, height });
  }

  override connectionEnded(error?: ViasshError): void {
    if (error !== undefined) {
      this.#settle.reject(error); // without effect when the channel was closed before
      if (!this.#stderrApart) this.#stderr.inbound.fail(error);
      this.#stderrApart = true;
    }
    super.connectionEnded(error);
  }

  override sink(): RawChannelSink {
    return {
      ...super.sink(),
      exit: (status) => {
        this.#status = status.kind === 'signal' ? { ...status, message: sanitize(status.message) } : status;
      },
    };
  }

  override _destroy(error: Error | null, callback: (error?: Error | null) => void): void {
    if (error === null) this.#settle.resolve(this.#status);
    else this.#settle.reject(error);
    if (!this.#stderrApart) this.#stderr.destroy(error ?? undefined);
    super._destroy(error, callback);
  }

  protected override receiveStderr(chunk: Buffer): void {
    this.#stderr.inbound.push(chunk);
  }

  protected override endReading(): void {
    super.endReading();
    this.#endStderr();
  }

  protected override leaveWire(): void {
    super.leaveWire();
    this.#settle.resolve(this.#status);
  }

  #endStderr(): void {
    this.#stderrApart = true;
    this.#stderr.inbound.end();
  }
}

/** Extended data: a stream of its own that tells what was taken from it, and when nobody will take any more. */
class SharedReadable extends Readable {
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

  override _destroy(error: Error | null, callback: (error?: Error | null) => void): void {
    this.inbound.drop();
    callback(error);
  }
}
