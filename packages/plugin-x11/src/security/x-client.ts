import type { Socket } from 'node:net';
import { abortedError, ViasshError } from '@viassh/core';
import type { DisplayName } from '../display/parse-display.ts';
import { writeClientSetup } from '../setup/client-setup.ts';
import { readServerAnswer } from '../setup/server-answer.ts';
import { XMessages } from './x-messages.ts';

/** An X server says no to a request, by a code of its own. */
export class XError extends Error {
  readonly code: number;

  constructor(code: number) {
    super(`the X server answers with error ${code}`);
    this.code = code;
  }
}

/** A way into a display: a socket that nothing was said on, and the cookie for it. */
export interface Entrance {
  readonly socket: Socket;
  readonly cookie: Buffer | undefined;
}

interface Pending {
  readonly resolve: (reply: Buffer) => void;
  readonly reject: (error: Error) => void;
}

/** A client of an X server that draws nothing: requests and their replies. */
export class XClient {
  readonly #socket: Socket;
  readonly #messages = new XMessages();
  readonly #pending = new Map<number, Pending>();
  #sequence = 0;
  /** Gets every event, by its code. */
  onEvent: ((code: number, bytes: Buffer) => void) | undefined;
  /** Called when the connection is over; ask {@link isOpen} after it was set. */
  onClosed: (() => void) | undefined;
  /** How many screens the display has. */
  readonly screens: number;

  private constructor(socket: Socket, screens: number) {
    this.#socket = socket;
    this.screens = screens;
    socket.on('data', (chunk: Buffer) => this.#receive(chunk)).on('end', () => void socket.destroy());
    socket.on('close', () => this.#end());
    if (socket.closed) this.#end();
    else socket.resume();
  }

  /** Says the first packet, and waits for the answer. @throws ViasshError DISPLAY_UNUSABLE, or the signal's reason */
  static async open({ text }: DisplayName, { socket, cookie }: Entrance, signal: AbortSignal): Promise<XClient> {
    socket.write(writeClientSetup({ littleEndian: true, major: 11, minor: 0 }, cookie));
    try {
      return new XClient(socket, await answered(socket, signal));
    } catch (error) {
      socket.destroy();
      if (signal.aborted) throw abortedError(signal.reason);
      throw new ViasshError('DISPLAY_UNUSABLE', `the display ${text} lets nobody in: ${(error as Error).message}`, {
        hint:
          cookie === undefined
            ? 'there is no cookie for it in the file that XAUTHORITY names'
            : 'the cookie that the file of XAUTHORITY has for it may be an old one',
        cause: error,
      });
    }
  }

  get isOpen(): boolean {
    return !this.#socket.destroyed;
  }

  /** Sends a whole request; its reply. @throws XError, or Error when the connection is over or the signal aborted */
  async request(bytes: Buffer, signal: AbortSignal): Promise<Buffer> {
    if (!this.isOpen) throw new Error('the X server has closed the connection');
    const sequence = this.post(bytes);
    const { promise, resolve, reject } = Promise.withResolvers<Buffer>();
    const onAbort = (): void => reject(abortedError(signal.reason));
    this.#pending.set(sequence, { resolve, reject });
    signal.addEventListener('abort', onAbort, { once: true });
    if (signal.aborted) onAbort();
    try {
      return await promise;
    } finally {
      this.#pending.delete(sequence);
      signal.removeEventListener('abort', onAbort);
    }
  }

  /** Sends a request that has no reply. */
  post(bytes: Buffer): number {
    this.#socket.write(bytes);
    this.#sequence = (this.#sequence + 1) & 0xffff;
    return this.#sequence;
  }

  close(): void {
    this.#socket.destroy();
  }

  #receive(chunk: Buffer): void {
    try {
      for (const message of this.#messages.take(chunk)) {
        if (message.kind === 'event') this.onEvent?.(message.code, message.bytes);
        else if (message.kind === 'reply') this.#pending.get(message.sequence)?.resolve(message.bytes);
        else this.#pending.get(message.sequence)?.reject(new XError(message.code));
      }
    } catch {
      this.#socket.destroy(); // no X server says that: whoever waits hears of the end
    }
  }

  #end(): void {
    for (const { reject } of this.#pending.values()) reject(new Error('the X server has closed the connection'));
    this.onClosed?.();
  }
}

/** The number of screens. @throws Error with the server's own words */
function answered(socket: Socket, signal: AbortSignal): Promise<number> {
  const { promise, resolve, reject } = Promise.withResolvers<number>();
  let seen = Buffer.alloc(0);
  const onData = (chunk: Buffer): void => {
    seen = Buffer.concat([seen, chunk]);
    const answer = readServerAnswer(seen, true);
    if (answer.kind === 'more') return;
    if (answer.kind === 'failed') return reject(new Error(answer.reason));
    socket.pause().off('data', onData);
    if (seen.length > answer.length) socket.unshift(seen.subarray(answer.length));
    resolve(answer.screens);
  };
  const onEnd = (): void => reject(new Error('it closed the connection'));
  const onAbort = (): void => reject(abortedError(signal.reason));
  socket.on('data', onData).once('end', onEnd).once('close', onEnd);
  signal.addEventListener('abort', onAbort, { once: true });
  if (signal.aborted) onAbort();
  return promise.finally(() => {
    socket.off('data', onData).off('end', onEnd).off('close', onEnd);
    signal.removeEventListener('abort', onAbort);
  });
}
