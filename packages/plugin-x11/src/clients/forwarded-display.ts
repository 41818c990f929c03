import { randomBytes } from 'node:crypto';
import type { Socket } from 'node:net';
import type { Duplex } from 'node:stream';
import { type Clock, leave, type Originator, sanitize, toViasshError, ViasshError } from '@viassh/core';
import { COOKIE_PROTOCOL } from '../authority/find-cookie.ts';
import { within } from '../display/within.ts';
import type { Entrance } from '../security/x-client.ts';
import { type ClientSetup, writeClientSetup } from '../setup/client-setup.ts';
import { readServerAnswer, writeRefusal } from '../setup/server-answer.ts';
import type { X11Counters, X11Display } from '../x11-display.ts';
import { readFirstPacket } from './first-packet.ts';
import { join, type Passed } from './join.ts';
import type { Teller } from './teller.ts';

/** Milliseconds that a client has to say who it is, and then the X server to be there. */
const FIRST_PACKET_TIME = 30_000;
/** Clients at a time: as many as an X server takes by itself, and a limit to what the far end can hold open here. */
const MOST_CLIENTS = 512;
/** What a client hears of our own failures: their texts name files and users of this machine. */
const UNREACHED = 'the X server cannot be reached; where viassh runs it is said why';
/** An MIT-MAGIC-COOKIE-1 has 128 bits. */
const COOKIE_LENGTH = 16;

/** What a {@link ForwardedDisplay} is made from. */
export interface DisplaySetup {
  readonly screen: number;
  readonly trusted: boolean;
  readonly singleConnection: boolean;
  readonly clock: Clock;
  readonly teller: Teller;
  /** A new connection to the X server, and the cookie for a client from the far end. */
  readonly enter: (signal: AbortSignal) => Promise<Entrance>;
  /** Of what lets clients in; after the last client. */
  readonly close: () => Promise<void>;
}

/** The display towards clients: who comes with the fake cookie gets through. */
export class ForwardedDisplay implements X11Display {
  readonly protocol: typeof COOKIE_PROTOCOL = COOKIE_PROTOCOL;
  readonly screen: number;
  readonly trusted: boolean;
  readonly singleConnection: boolean;
  readonly #cookie: Buffer = randomBytes(COOKIE_LENGTH);
  readonly #setup: DisplaySetup;
  readonly #ended = new AbortController();
  /** All that are here, let in or not. */
  readonly #clients = new Set<Duplex>();
  readonly #joined = new Set<Socket>();
  readonly #passed: Passed = { toDisplay: 0, fromDisplay: 0 };
  #accepted = 0;
  #refused = 0;
  #idle = Promise.withResolvers<void>();
  #closing: Promise<void> | undefined;

  constructor(setup: DisplaySetup) {
    this.#setup = setup;
    this.screen = setup.screen;
    this.trusted = setup.trusted;
    this.singleConnection = setup.singleConnection;
  }

  get cookie(): string {
    return this.#cookie.toString('hex');
  }

  get counters(): X11Counters {
    return { clients: this.#joined.size, accepted: this.#accepted, refused: this.#refused, ...this.#passed };
  }

  serve(client: Duplex, originator?: Originator): void {
    client.on('error', ignore);
    if (this.#ended.signal.aborted) return void client.destroy();
    if (this.#clients.size >= MOST_CLIENTS) {
      this.#refuse(client, originator, undefined, `${MOST_CLIENTS} others are here`);
      return;
    }
    this.#clients.add(client);
    client.once('close', () => this.#leave(client));
    if (client.closed) this.#leave(client);
    else void this.#admit(client, originator);
  }

  async idle(): Promise<void> {
    if (this.#clients.size > 0) await this.#idle.promise;
  }

  async [Symbol.asyncDispose](): Promise<void> {
    this.#closing ??= this.#close();
    await this.#closing;
  }

  async #close(): Promise<void> {
    this.#ended.abort();
    for (const stream of [...this.#clients, ...this.#joined]) stream.destroy();
    await this.#setup.close();
  }

  /** Never rejects. */
  async #admit(client: Duplex, originator: Originator | undefined): Promise<void> {
    const limit = { clock: this.#setup.clock, ms: FIRST_PACKET_TIME, signal: this.#ended.signal };
    let setup: ClientSetup | undefined;
    try {
      const first = await within(limit, tooSlow, (signal) => readFirstPacket(client, this.#cookie, signal));
      setup = first.setup;
      if (first.kind === 'refused') return this.#refuse(client, originator, setup, first.reason);
      if (this.singleConnection && this.#accepted > 0)
        return this.#refuse(client, originator, setup, 'one client is let in, and no more');
      this.#accepted += 1;
      const { socket, cookie } = await within(limit, tooSlow, (signal) => this.#setup.enter(signal));
      socket.write(Buffer.concat([writeClientSetup(first.setup, cookie), first.rest]));
      this.#join(client, socket, first.setup, originator);
    } catch (error) {
      this.#refuse(client, originator, setup, toViasshError(error).message, UNREACHED);
    }
  }

  #join(client: Duplex, socket: Socket, setup: ClientSetup, originator: Originator | undefined): void {
    const { teller } = this.#setup;
    this.#joined.add(socket);
    socket.once('close', () => this.#joined.delete(socket));
    teller.tell({ kind: 'opened', originator });
    let answer = Buffer.alloc(0);
    join(client, socket, this.#passed, {
      onAnswer: (chunk) => {
        answer = Buffer.concat([answer, chunk.subarray(0, 1024)]);
        if (answer[0] === 1) return false;
        const reading = readServerAnswer(answer, setup.littleEndian);
        if (reading.kind === 'failed')
          teller.tell({ kind: 'refused-by-display', originator, reason: sanitize(reading.reason) });
        return reading.kind === 'more';
      },
      over: (error) =>
        teller.tell({
          kind: 'closed',
          originator,
          error: error === undefined ? undefined : toViasshError(error, 'STREAM_FAILED'),
        }),
    });
  }

  /** `told`: what the client hears, where `reason` is for this machine alone. */
  #refuse(
    client: Duplex,
    originator: Originator | undefined,
    setup: ClientSetup | undefined,
    reason: string,
    told: string = reason,
  ): void {
    if (this.#ended.signal.aborted) return void client.destroy();
    this.#refused += 1;
    this.#setup.teller.tell({ kind: 'refused', originator, reason });
    if (setup === undefined || !client.writable) client.destroy();
    else {
      client.write(writeRefusal(setup, `viassh: ${told}\n`));
      void leave(client, { signal: this.#ended.signal });
    }
  }

  #leave(client: Duplex): void {
    this.#clients.delete(client);
    if (this.#clients.size > 0) return;
    this.#idle.resolve();
    this.#idle = Promise.withResolvers();
  }
}

function tooSlow(): ViasshError {
  return new ViasshError('DISPLAY_UNUSABLE', 'the X server does not answer');
}

function ignore(): void {
  // its close follows
}
