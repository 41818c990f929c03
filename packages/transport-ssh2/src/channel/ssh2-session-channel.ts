import { Readable } from 'node:stream';
import {
  type ExitStatus,
  type PtyRequest,
  sanitize,
  type SessionChannel,
  type ViasshError,
  wireSignalName,
} from '@viassh/core';
import type { RawChannel, RawChannelSink, StartRequest } from '../ssh2-private.ts';
import type { WireBacklog } from '../wire/wire-backlog.ts';
import { Ssh2Channel } from './ssh2-channel.ts';

/** What may be asked for on a fresh session channel, RFC 4254 §6.2 to §6.5. */
export interface SessionRequests {
  env(name: string, value: string): void;
  pty(pty: PtyRequest): Promise<boolean>;
  start(request: StartRequest): Promise<boolean>;
}

/** core's SessionChannel: stderr apart, exit status, signals. */
export class Ssh2SessionChannel extends Ssh2Channel implements SessionChannel {
  readonly exit: Promise<ExitStatus>;
  readonly #raw: RawChannel;
  readonly #stderr: SharedReadable;
  #stderrEnded = false;
  #status: ExitStatus = { kind: 'missing' };
  #settle!: { resolve(status: ExitStatus): void; reject(error: ViasshError): void };

  constructor(raw: RawChannel, backlog: WireBacklog) {
    super(raw, { type: 'session', backlog, closeAfterBothEnds: false });
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
    if (error !== undefined) this.#settle.reject(error); // without effect when the channel was closed before
    super.connectionEnded(error);
  }

  override sink(): RawChannelSink {
    return {
      ...super.sink(),
      stderr: (chunk) => this.arrived(this.#stderr, chunk),
      exit: (status) => {
        this.#status = status.kind === 'signal' ? { ...status, message: sanitize(status.message) } : status;
      },
    };
  }

  override _destroy(error: Error | null, callback: (error?: Error | null) => void): void {
    if (!this.#stderrEnded) this.#stderr.destroy(error ?? undefined);
    super._destroy(error, callback);
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
    if (this.#stderrEnded) return;
    this.#stderrEnded = true;
    if (!this.#stderr.destroyed) this.#stderr.push(null);
  }
}

/** Extended data: a stream of its own that tells what was taken from it. */
class SharedReadable extends Readable {
  readonly #taken: (bytes: number) => void;

  constructor(taken: (bytes: number) => void) {
    super();
    this.#taken = taken;
    this.on('error', () => undefined);
  }

  override read(size?: number): unknown {
    const before = this.readableLength;
    const chunk: unknown = super.read(size);
    this.#taken(before - this.readableLength);
    return chunk;
  }

  override _read(): void {
    // what comes is pushed
  }
}
