import type { Socket } from 'node:net';
import { abortedError, listen, type Logger, sanitize, toViasshError, type ViasshError } from '@viassh/core';
import { parseRequest } from './parse-request.ts';
import { readLine } from './read-line.ts';
import type { ControlAnswer, ControlRequest } from './requests.ts';

/** The answer to a request. */
export interface ControlReply {
  readonly answer: ControlAnswer;
  /** Speaks on the socket behind the answer, which is closed when this has settled. Rejects with what is to be logged. */
  readonly afterwards?: ((socket: Socket, signal: AbortSignal) => Promise<void>) | undefined;
}

/** What the server of the control socket needs. */
export interface ControlOptions {
  /**
   * `signal`: the socket is closed, or the server closes. A client that has gone is not noticed before somebody reads or
   * writes. What it throws is the answer: `ok` false.
   */
  readonly handle: (request: ControlRequest, signal: AbortSignal) => Promise<ControlReply>;
  readonly log: Logger;
}

/** The server of the control socket. */
export interface ControlServer extends AsyncDisposable {
  /** Takes no more clients; those that are there are let go of. */
  close(): Promise<void>;
}

const LONGEST_REQUEST = 65_536;
/** Milliseconds that a client has to say what it wants, and to take its answer. */
const PATIENCE = 10_000;
/** Clients that have not said yet what they want. */
const MOST_UNDECIDED = 64;

/**
 * Serves the control socket (0600; its folder is the caller's to check). What one client does is nobody else's trouble:
 * garbage, half lines, floods, silence, and answers that nobody takes end that client.
 *
 * @throws ViasshError LISTEN_FAILED
 */
export async function serveControl(path: string, { handle, log }: ControlOptions): Promise<ControlServer> {
  const clients = new Set<Promise<void>>();
  const closing = new AbortController();
  let undecided = 0;
  const serve = async (socket: Socket): Promise<void> => {
    const gone = new AbortController();
    socket.once('close', () => gone.abort());
    const signal = AbortSignal.any([closing.signal, gone.signal]);
    try {
      undecided += 1;
      const request = await ask(socket, signal).finally(() => (undecided -= 1));
      const { answer, afterwards } = await handle(request, signal);
      await say(socket, answer, signal);
      await afterwards?.(socket, signal);
    } catch (error) {
      const failure = toViasshError(error);
      if (!signal.aborted) {
        log.debug(`a client of the control socket: ${failure.message} (${failure.code})`);
        await say(socket, answerOf(failure), signal).catch(() => undefined);
      }
    } finally {
      await leave(socket, closing.signal);
    }
  };
  const listener = await listen({ kind: 'unix', path }, (socket) => {
    if (undecided >= MOST_UNDECIDED) {
      log.warning('a client of the control socket was turned away: too many have not said what they want');
      socket.destroy();
      return;
    }
    const served = serve(socket).finally(() => clients.delete(served));
    clients.add(served);
  });
  let closed: Promise<void> | undefined;
  const close = (): Promise<void> =>
    (closed ??= (async () => {
      await listener.close();
      closing.abort();
      await Promise.all(clients);
    })());
  return { close, [Symbol.asyncDispose]: close };
}

/** The failure as the answer says it. */
export function answerOf({ code, message, hint }: ViasshError): ControlAnswer {
  return { ok: false, code, message, hint };
}

async function ask(socket: Socket, signal: AbortSignal): Promise<ControlRequest> {
  return parseRequest(await readLine(socket, { most: LONGEST_REQUEST, withinMs: PATIENCE, signal }));
}

/** Resolves when it was handed over. @throws ViasshError ABORTED when the client has gone, or does not read */
async function say(socket: Socket, answer: ControlAnswer, signal: AbortSignal): Promise<void> {
  if (!socket.writable || signal.aborted) throw abortedError();
  await new Promise<void>((resolve, reject) => {
    const giveUp = (): void => {
      socket.destroy();
      reject(abortedError());
    };
    const timer = setTimeout(giveUp, PATIENCE).unref();
    socket.write(`${JSON.stringify(answer)}\n`, (error) => {
      clearTimeout(timer);
      if (error) reject(abortedError(new Error(sanitize(error.message))));
      else resolve();
    });
  });
}

/** Hands over what is written; what still comes is read and forgotten, unless it does not stop. */
async function leave(socket: Socket, closing: AbortSignal): Promise<void> {
  if (socket.closed) return;
  const closed = new Promise<void>((resolve) => void socket.once('close', () => resolve()));
  const drop = (): void => void socket.destroy();
  if (socket.writable) socket.end();
  const timer = setTimeout(drop, PATIENCE).unref();
  let dropped = 0;
  socket
    .on('data', (chunk: Buffer) => {
      dropped += chunk.length;
      if (dropped > LONGEST_REQUEST * 4) drop();
    })
    .resume();
  if (closing.aborted) drop();
  else closing.addEventListener('abort', drop, { once: true });
  await closed;
  clearTimeout(timer);
  closing.removeEventListener('abort', drop);
}
