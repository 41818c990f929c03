import { type Channel, type SessionChannel, toViasshError, ViasshError } from '@viassh/core';
import { failureOf } from '../wire/failure.ts';
import { FrameKind } from '../wire/frame.ts';
import type { FrameWire } from '../wire/frame-wire.ts';
import { jsonBody } from '../wire/json-body.ts';
import { readSize } from '../wire/opening.ts';
import { ReceiveWindow, SendWindow, stderrWindow } from '../wire/window.ts';
import { Inflow } from './inflow.ts';
import { Outflow } from './outflow.ts';
import type { ServedId } from './served-id.ts';

/** Milliseconds for the last bytes of a channel that its client has left after the end of both directions. */
const LAST_BYTES = 10_000;

/** A channel of the connection, and where the client has it. */
export interface ServedChannelSetup {
  readonly wire: FrameWire;
  readonly id: number;
  /** What the client lets us send at first, bytes. */
  readonly clientWindow: number;
  /** What it may send. */
  readonly ownWindow: number;
  /** Nothing goes under this id any more. */
  readonly forget: () => void;
}

/** Carries one channel to a client: bytes, ends, and for a session how it went. */
export class ServedChannel implements ServedId {
  readonly #channel: Channel;
  readonly #session: SessionChannel | undefined;
  readonly #setup: ServedChannelSetup;
  readonly #toClient: SendWindow;
  readonly #stderrToClient: SendWindow;
  readonly #fromClient: ReceiveWindow;
  readonly #out: Outflow;
  readonly #stderr: Outflow | undefined;
  readonly #in: Inflow;
  #failure: Error | undefined;
  #stderrFailure: Error | undefined;
  /** Streams that have yet to end: the channel itself and, with a session, stderr. */
  #left: number;

  /** `session` is the channel, where it is one. */
  constructor(channel: Channel, session: SessionChannel | undefined, setup: ServedChannelSetup) {
    const { wire, id } = setup;
    this.#channel = channel;
    this.#session = session;
    this.#setup = setup;
    this.#toClient = new SendWindow(setup.clientWindow);
    this.#stderrToClient = new SendWindow(stderrWindow(setup.clientWindow));
    this.#fromClient = new ReceiveWindow(setup.ownWindow);
    this.#in = new Inflow(channel, (bytes) => this.#grant(bytes));
    this.#left = session === undefined ? 1 : 2;
    channel.on('error', (error) => (this.#failure = error));
    this.#out = new Outflow(channel, {
      wire,
      id,
      kind: FrameKind.data,
      window: this.#toClient,
      ended: () => wire.send(FrameKind.eof, id),
      closed: () => void this.#closed(),
    });
    if (session === undefined) return;
    session.stderr.on('error', (error) => (this.#stderrFailure = error));
    this.#stderr = new Outflow(session.stderr, {
      wire,
      id,
      kind: FrameKind.stderr,
      window: this.#stderrToClient,
      ended: () => undefined,
      closed: () => {
        this.#tell(FrameKind.stderrEof, this.#stderrFailure);
        this.#oneLess();
      },
    });
    void this.#tellExit(session);
  }

  frame(kind: number, body: Buffer): void {
    if (kind === FrameKind.data) {
      this.#fromClient.received(body.length);
      this.#in.write(body);
    } else if (kind === FrameKind.window) {
      this.#toClient.granted(body);
      this.#out.flush();
    } else if (kind === FrameKind.stderrWindow) {
      this.#stderrToClient.granted(body);
      this.#stderr?.flush();
    } else if (kind === FrameKind.eof) {
      this.#in.end();
    } else if (kind === FrameKind.signal && this.#session !== undefined) {
      this.#session.sendSignal(body.toString('utf8'));
    } else if (kind === FrameKind.resize && this.#session !== undefined) {
      this.#session.changeWindow(readSize(jsonBody(body)));
    } else {
      throw new ViasshError('PROTOCOL_ERROR', `a frame of kind ${kind} is not for a channel`);
    }
  }

  end(): void {
    this.#out.stop();
    this.#stderr?.stop();
    this.#session?.stderr.destroy();
    // The far end has yet to take the last bytes: what the channel of a connection of one's own would have sent by now.
    const isComplete = this.#session === undefined && this.#in.ended && this.#channel.readableEnded;
    if (!isComplete) return void this.#channel.destroy();
    const timer = setTimeout(() => this.#channel.destroy(), LAST_BYTES).unref();
    this.#channel.once('close', () => clearTimeout(timer));
  }

  async #tellExit({ exit }: SessionChannel): Promise<void> {
    const { wire, id } = this.#setup;
    try {
      wire.sendJson(FrameKind.exit, id, { exit: await exit });
    } catch (error) {
      wire.sendJson(FrameKind.exit, id, { failure: failureOf(toViasshError(error)) });
    }
  }

  /** Behind the exit, which has settled: a client that has read all looks at it. */
  async #closed(): Promise<void> {
    await this.#session?.exit.catch(() => undefined);
    this.#tell(FrameKind.close, this.#failure);
    this.#oneLess();
  }

  #tell(kind: typeof FrameKind.close | typeof FrameKind.stderrEof, failure: Error | undefined): void {
    const { wire, id } = this.#setup;
    if (failure === undefined) wire.send(kind, id);
    else wire.sendJson(kind, id, failureOf(toViasshError(failure)));
  }

  #oneLess(): void {
    this.#left -= 1;
    if (this.#left === 0) this.#setup.forget();
  }

  #grant(bytes: number): void {
    const grant = this.#fromClient.consumed(bytes);
    if (grant > 0) this.#setup.wire.sendNumber(FrameKind.window, this.#setup.id, grant);
  }
}
