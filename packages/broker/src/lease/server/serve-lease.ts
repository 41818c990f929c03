import type { Duplex } from 'node:stream';
import {
  type CloseReason,
  type Connection,
  type IncomingChannel,
  isViasshError,
  type Logger,
  type RemoteListener,
  type SessionChannel,
  toViasshError,
  ViasshError,
} from '@viassh/core';
import { errorOf, failureOf } from '../wire/failure.ts';
import { FrameKind, leaseVersion } from '../wire/frame.ts';
import { FrameWire } from '../wire/frame-wire.ts';
import type { LeaseHello } from '../wire/hello.ts';
import { jsonBody } from '../wire/json-body.ts';
import { type Opening, readOpening } from '../wire/opening.ts';
import { MOST_IDS, windowFor } from '../wire/window.ts';
import { ServedChannel } from './served-channel.ts';
import type { ServedId } from './served-id.ts';
import { ServedTun } from './served-tun.ts';

/** So many bytes of requests may be under way for one client. */
const MOST_ASKED = 4 * 1024 * 1024;
/** Milliseconds for a client's first word. */
const HELLO_DEADLINE = 10_000;

/** A connection that is lent to another process. */
export interface Lease {
  /** Channels, forwards and pings that the client has now. */
  readonly size: number;
  /** Resolves when the client has gone and all that was its was closed; never rejects. */
  readonly closed: Promise<void>;
  /**
   * The connection is about to end with this: the client hears of it before its channels end, which alone would look as if
   * the far end had ended them. Without effect when it has heard already.
   */
  tellEnd(reason: CloseReason): void;
  /** Takes it back. */
  close(): Promise<void>;
}

/**
 * Lends a connection to who is at the other end of the socket, which is the lease's from now on. What the client opens is
 * closed with the socket at the latest; the connection stays. A client that breaks the rules is cut off.
 */
export function serveLease(socket: Duplex, connection: Connection, { log }: { readonly log: Logger }): Lease {
  return new ServedLease(socket, connection, log);
}

class ServedLease implements Lease {
  readonly closed: Promise<void>;
  readonly #connection: Connection;
  readonly #log: Logger;
  readonly #wire: FrameWire;
  readonly #ids = new Map<number, ServedId>();
  readonly #closings = new Set<Promise<void>>();
  readonly #hurry: NodeJS.Timeout;
  readonly #resolveClosed: () => void;
  #agent: Disposable | undefined;
  #x11: { sessions: number; readonly handling: Disposable } | undefined;
  #greeted = false;
  #gone = false;
  #toldEnd = false;
  #lastOfClient = -1;
  #nextOwn = 2;
  #asked = 0;

  constructor(socket: Duplex, connection: Connection, log: Logger) {
    this.#connection = connection;
    this.#log = log;
    const { promise, resolve } = Promise.withResolvers<void>();
    this.closed = promise;
    this.#resolveClosed = resolve;
    this.#wire = new FrameWire(
      socket,
      { holdsBack: true },
      {
        frame: (kind, id, body) => this.#frame(kind, id, body),
        ended: (error) => void this.#ended(error),
      },
    );
    this.#hurry = setTimeout(() => this.#wire.destroy(), HELLO_DEADLINE).unref();
    const { transport, capabilities, info } = connection;
    const hello: LeaseHello = { version: leaseVersion, transport, capabilities: [...capabilities], info };
    this.#wire.sendJson(FrameKind.hello, 0, hello);
    void connection.closed.then((reason) => this.tellEnd(reason));
  }

  get size(): number {
    return this.#ids.size;
  }

  tellEnd(reason: CloseReason): void {
    if (this.#toldEnd) return;
    this.#toldEnd = true;
    const error =
      reason.kind === 'lost'
        ? reason.error
        : new ViasshError('CONNECTION_LOST', 'the broker closed the connection', {
            hint: 'viassh status shows what it does; with --no-broker the command connects itself',
          });
    this.#wire.sendJson(FrameKind.lost, 0, failureOf(error));
  }

  async close(): Promise<void> {
    this.#wire.destroy();
    await this.closed;
  }

  #frame(kind: number, id: number, body: Buffer): void {
    if (this.#gone) return;
    if (!this.#greeted) return this.#greet(kind, body);
    if (kind === FrameKind.open) this.#open(id, body);
    else if (kind === FrameKind.takeAgent) this.#takeAgent();
    else if (kind === FrameKind.giveBackAgent) this.#giveBackAgent();
    else if (kind === FrameKind.bye) void this.#bye();
    else this.#frameOf(kind, id, body);
  }

  #frameOf(kind: number, id: number, body: Buffer): void {
    const served = this.#ids.get(id);
    if (served === undefined) {
      const known = id % 2 === 1 ? id <= this.#lastOfClient : id > 0 && id < this.#nextOwn;
      if (!known) throw new ViasshError('PROTOCOL_ERROR', `the client spoke of ${id}, which nobody has opened`);
      return; // it has ended here, and what the client said crossed that
    }
    if (kind !== FrameKind.close) return served.frame(kind, body);
    this.#ids.delete(id);
    served.end();
  }

  #greet(kind: number, body: Buffer): void {
    const { version } = kind === FrameKind.hello ? jsonBody(body) : { version: undefined };
    if (version !== leaseVersion)
      throw new ViasshError('PROTOCOL_ERROR', `the client of a lease does not speak version ${leaseVersion}`);
    clearTimeout(this.#hurry);
    this.#greeted = true;
  }

  #open(id: number, body: Buffer): void {
    if (id % 2 !== 1 || id <= this.#lastOfClient)
      throw new ViasshError('PROTOCOL_ERROR', `the client opened ${id}, which is not its to open`);
    this.#lastOfClient = id;
    if (this.#ids.size >= MOST_IDS || this.#asked + body.length > MOST_ASKED) return this.#fail(id, tooMuch());
    const abort = new AbortController();
    const pending: ServedId = {
      frame: (kind) => {
        throw new ViasshError('PROTOCOL_ERROR', `a frame of kind ${kind} for what is not open yet`);
      },
      end: () => abort.abort(),
    };
    this.#ids.set(id, pending);
    this.#asked += body.length;
    void (async () => {
      try {
        await this.#perform(id, readOpening(jsonBody(body)), abort.signal);
      } catch (error) {
        if (this.#ids.get(id) !== pending) return; // nobody waits for the answer
        this.#ids.delete(id);
        this.#fail(id, error);
      } finally {
        this.#asked -= body.length;
      }
    })();
  }

  async #perform(id: number, opening: Opening, signal: AbortSignal): Promise<void> {
    const connection = this.#connection;
    if (opening.what === 'ping') {
      const roundTripMs = await connection.ping({ signal });
      if (signal.aborted) return;
      this.#ids.delete(id);
      this.#wire.sendJson(FrameKind.opened, id, { roundTripMs });
    } else if (opening.what === 'forward') {
      const offer = (incoming: IncomingChannel): Promise<void> => this.#offer(incoming, { forward: id });
      const listener = await connection.requestForward(opening.request, offer, { signal });
      if (signal.aborted) return this.#closing(listener);
      this.#listen(id, listener);
    } else if (opening.what === 'tun') {
      const tun = await connection.openTun({ ...opening.request, signal });
      if (signal.aborted) return await tun.close();
      const setup = this.#opened(id, opening.window);
      this.#ids.set(id, new ServedTun(tun, setup));
    } else if (opening.what === 'session') {
      const start = (): Promise<SessionChannel> => connection.openSession({ ...opening.request, signal });
      const session = await (opening.request.x11 === undefined ? start() : this.#withX11(start));
      if (signal.aborted) return void session.destroy();
      this.#ids.set(id, new ServedChannel(session, session, this.#opened(id, opening.window)));
    } else {
      const channel =
        opening.what === 'direct-tcpip'
          ? await connection.openDirectTcpip(opening.target, { signal })
          : await connection.openDirectStreamlocal(opening.path, { signal });
      if (signal.aborted) return void channel.destroy();
      this.#ids.set(id, new ServedChannel(channel, undefined, this.#opened(id, opening.window)));
    }
  }

  /** Tells the client before anything of the channel can. */
  #opened(id: number, clientWindow: number): ConstructorParameters<typeof ServedTun>[1] {
    const ownWindow = windowFor(this.#ids.size);
    this.#wire.sendJson(FrameKind.opened, id, { window: ownWindow });
    return { wire: this.#wire, id, clientWindow, ownWindow, forget: () => void this.#ids.delete(id) };
  }

  #listen(id: number, listener: RemoteListener): void {
    this.#ids.set(id, {
      frame: (kind) => {
        throw new ViasshError('PROTOCOL_ERROR', `a frame of kind ${kind} is not for a remote forward`);
      },
      end: () => this.#closing(listener),
    });
    this.#wire.sendJson(FrameKind.opened, id, { address: listener.address });
    void this.#tellForwardEnd(id, listener);
  }

  async #tellForwardEnd(id: number, { closed }: RemoteListener): Promise<void> {
    await closed;
    this.#ids.delete(id);
    this.#wire.send(FrameKind.close, id);
  }

  /** A client that says goodbye hears of it when this is done. */
  #closing(listener: RemoteListener): void {
    const closing = listener.close();
    this.#closings.add(closing);
    void closing.then(() => this.#closings.delete(closing));
  }

  /** Asks the client; resolves when it has decided, or is gone. */
  async #offer(incoming: IncomingChannel, via: { readonly forward?: number }): Promise<void> {
    if (this.#gone || this.#ids.size >= MOST_IDS) return incoming.refuse('the client has no room for it');
    const id = this.#nextOwn;
    this.#nextOwn += 2;
    const ownWindow = windowFor(this.#ids.size);
    const decided = Promise.withResolvers<void>();
    const decide = (run: () => void): void => {
      this.#ids.delete(id);
      run();
      decided.resolve();
    };
    this.#ids.set(id, {
      frame: (kind, body) => {
        if (kind === FrameKind.refuse) decide(() => incoming.refuse(body.toString('utf8')));
        else if (kind === FrameKind.accept) decide(() => this.#accept(id, incoming, ownWindow, body));
        else throw new ViasshError('PROTOCOL_ERROR', `a frame of kind ${kind} decides on no channel`);
      },
      end: () => decide(() => incoming.refuse()),
    });
    const { type, originator } = incoming;
    this.#wire.sendJson(FrameKind.incoming, id, { type, originator, window: ownWindow, ...via });
    await decided.promise;
  }

  #accept(id: number, incoming: IncomingChannel, ownWindow: number, body: Buffer): void {
    const { window } = jsonBody(body);
    if (typeof window !== 'number' || !(window > 0))
      throw new ViasshError('PROTOCOL_ERROR', 'accepted without a window');
    const setup = { wire: this.#wire, id, clientWindow: window, ownWindow, forget: () => void this.#ids.delete(id) };
    try {
      this.#ids.set(id, new ServedChannel(incoming.accept(), undefined, setup));
    } catch (error) {
      this.#wire.sendJson(FrameKind.close, id, failureOf(toViasshError(error)));
    }
  }

  #takeAgent(): void {
    try {
      this.#agent ??= this.#connection.onIncomingChannel('auth-agent@openssh.com', (incoming) =>
        this.#offer(incoming, {}),
      );
    } catch (error) {
      this.#log.warning(`lease: the channels of agents go elsewhere: ${toViasshError(error).message}`);
    }
  }

  #giveBackAgent(): void {
    this.#agent?.[Symbol.dispose]();
    this.#agent = undefined;
  }

  /**
   * One client at a time has the X11 channels of a connection, which do not say whose session they belong to.
   *
   * @throws ViasshError OPTION_INVALID
   */
  async #withX11(start: () => Promise<SessionChannel>): Promise<SessionChannel> {
    this.#x11 ??= {
      sessions: 0,
      handling: this.#connection.onIncomingChannel('x11', (incoming) => this.#offer(incoming, {})),
    };
    const x11 = this.#x11;
    const oneLess = (): void => {
      x11.sessions -= 1;
      if (x11.sessions > 0 || this.#x11 !== x11) return;
      x11.handling[Symbol.dispose]();
      this.#x11 = undefined;
    };
    x11.sessions += 1;
    try {
      const session = await start();
      session.once('close', oneLess);
      return session;
    } catch (error) {
      oneLess();
      throw error;
    }
  }

  #fail(id: number, error: unknown): void {
    // A frame that cannot be read is no failure of the far end: the client is told in the same way.
    this.#wire.sendJson(FrameKind.failed, id, failureOf(toViasshError(error)));
  }

  async #bye(): Promise<void> {
    await this.#closeAll();
    this.#wire.send(FrameKind.bye, 0);
    this.#wire.end();
  }

  async #ended(error: ViasshError | undefined): Promise<void> {
    if (isViasshError(error)) this.#log.warning(`lease: cut off: ${error.message}`);
    await this.#closeAll();
    this.#resolveClosed();
  }

  async #closeAll(): Promise<void> {
    this.#gone = true;
    clearTimeout(this.#hurry);
    this.#giveBackAgent();
    this.#x11?.handling[Symbol.dispose]();
    this.#x11 = undefined;
    const all = [...this.#ids.values()];
    this.#ids.clear();
    for (const served of all) served.end();
    await Promise.all(this.#closings);
  }
}

function tooMuch(): ViasshError {
  return errorOf({
    code: 'CHANNEL_REFUSED',
    message: 'the broker has no room for more channels of one client',
    hint: 'close some, or connect without the broker (--no-broker)',
    cause: { message: 'resource shortage', reason: 4 },
  });
}
