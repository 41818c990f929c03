import { connect, type Socket } from 'node:net';
import { abortedError, ViasshError } from '@viassh/core';
import { control, forwardKinds, mux, streamlocalPort } from './messages.ts';
import { FrameReader } from './frame-reader.ts';
import { encode, type Field, WireReader } from './wire.ts';

const LONGEST_FRAME = 64 * 1024; // answers are a number or a sentence
const DEADLINE = 10_000;

/** One end of a forward: a TCP address, or the path of a Unix socket. */
export type ForwardEnd = { readonly host: string; readonly port: number } | { readonly path: string };

/** A forward as PROTOCOL.mux §6 and §7 name it; to close one, name it exactly as it was opened. */
export interface MuxForward {
  readonly kind: 'local' | 'remote';
  /** `host` as ssh passes it: empty is localhost, `*` every address. `port` 0 of a remote one: the server chooses. */
  readonly listen: ForwardEnd;
  readonly connect: ForwardEnd;
}

/** The master's answer to a forward. `port` is the one that the server chose. */
export type ForwardAnswer =
  | { readonly granted: true; readonly port?: number | undefined }
  | { readonly granted: false; readonly said: string };

/** How long one request may take. */
export interface ControlRequestOptions {
  /** The answer is not waited for any longer; what was asked for may still happen. */
  readonly signal?: AbortSignal | undefined;
  /** Milliseconds; default: as long as the master lives. */
  readonly deadlineMs?: number | undefined;
}

/**
 * Control requests to a master (PROTOCOL.mux §4, §6, §7): the half of the protocol that is safe on a master that is not
 * ours. An identical forward that stands is granted again without a new listener, so what is opened must differ.
 */
export interface ControlClient {
  /** Resolves when the control socket has closed, by the master or by us. */
  readonly closed: Promise<void>;
  /** The master's process id. @throws ViasshError CONNECTION_LOST, ABORTED */
  alive(options?: ControlRequestOptions): Promise<number>;
  /** @throws ViasshError CONNECTION_LOST, ABORTED */
  openForward(forward: MuxForward, options?: ControlRequestOptions): Promise<ForwardAnswer>;
  /** The file of a Unix socket that the master listened on stays. @throws ViasshError CONNECTION_LOST, ABORTED */
  closeForward(forward: MuxForward, options?: ControlRequestOptions): Promise<ForwardAnswer>;
  close(): void;
}

interface Waiting {
  answered(type: number, fields: WireReader): void;
  failed(error: ViasshError): void;
}

/**
 * Connects to the control socket of any master, ours or not.
 *
 * @throws ViasshError CONNECTION_LOST, with the system's error as cause where there is one; ABORTED
 */
export async function openControlClient(
  socketPath: string,
  { signal, deadlineMs = DEADLINE }: ControlRequestOptions = {},
): Promise<ControlClient> {
  if (signal?.aborted === true) throw abortedError(signal.reason);
  const client = new SocketControlClient(connect(socketPath));
  try {
    await client.hello({ signal, deadlineMs });
    return client;
  } catch (error) {
    client.close();
    throw error;
  }
}

class SocketControlClient implements ControlClient {
  readonly closed: Promise<void>;
  readonly #socket: Socket;
  readonly #waiting = new Map<number | 'hello', Waiting>();
  #failure: ViasshError | undefined;
  #nextId = 0;

  constructor(socket: Socket) {
    this.#socket = socket;
    const reader = new FrameReader(LONGEST_FRAME, (body) => this.#receive(new WireReader(body)));
    socket.on('data', (chunk: Buffer) => {
      try {
        reader.push(chunk);
      } catch (error) {
        socket.destroy(error as Error);
      }
    });
    let cause: Error | undefined;
    socket.on('error', (error) => (cause = error));
    this.closed = new Promise((resolve) => {
      socket.once('close', () => {
        this.#failure = lost(cause?.message ?? 'it closed the socket', cause);
        for (const waiting of this.#waiting.values()) waiting.failed(this.#failure);
        this.#waiting.clear();
        resolve();
      });
    });
  }

  async hello(options: ControlRequestOptions): Promise<void> {
    this.#send(mux.hello, mux.version);
    const said = await this.#answer('hello', options, (type, fields) => ({ type, version: fields.uint32() }));
    if (said.type !== mux.hello || said.version !== mux.version)
      throw lost(`message 0x${said.type.toString(16)} first`);
  }

  async alive(options: ControlRequestOptions = {}): Promise<number> {
    return await this.#request(options, control.clientAliveCheck, [], (type, fields) =>
      type === control.serverAlive ? fields.uint32() : undefined,
    );
  }

  async openForward(forward: MuxForward, options: ControlRequestOptions = {}): Promise<ForwardAnswer> {
    return await this.#request(options, control.clientOpenForward, fieldsOf(forward), forwardAnswer);
  }

  async closeForward(forward: MuxForward, options: ControlRequestOptions = {}): Promise<ForwardAnswer> {
    return await this.#request(options, control.clientCloseForward, fieldsOf(forward), forwardAnswer);
  }

  close(): void {
    this.#socket.destroy();
  }

  async #request<T>(
    options: ControlRequestOptions,
    type: number,
    fields: readonly Field[],
    read: (type: number, fields: WireReader) => T | undefined,
  ): Promise<T> {
    if (options.signal?.aborted === true) throw abortedError(options.signal.reason);
    if (this.#failure !== undefined) throw this.#failure;
    const id = this.#nextId++;
    this.#send(type, id, ...fields);
    const answer = await this.#answer(id, options, (answered, rest) => ({ answered, value: read(answered, rest) }));
    if (answer.value !== undefined) return answer.value;
    const error = lost(`message 0x${answer.answered.toString(16)} is no answer to 0x${type.toString(16)}`);
    this.#socket.destroy(error);
    throw error;
  }

  /** The master's message for `id`; what comes for one that nobody waits for any more is dropped. */
  async #answer<T>(
    id: number | 'hello',
    { signal, deadlineMs }: ControlRequestOptions,
    read: (type: number, fields: WireReader) => T,
  ): Promise<T> {
    const { promise, resolve, reject } = Promise.withResolvers<T>();
    this.#waiting.set(id, { answered: (type, fields) => resolve(read(type, fields)), failed: reject });
    const onAbort = (): void => reject(abortedError(signal?.reason));
    signal?.addEventListener('abort', onAbort, { once: true });
    const onDeadline = (): void => reject(lost(`no answer within ${deadlineMs} ms`));
    const timer = deadlineMs === undefined ? undefined : setTimeout(onDeadline, deadlineMs);
    try {
      return await promise;
    } finally {
      clearTimeout(timer);
      signal?.removeEventListener('abort', onAbort);
      this.#waiting.delete(id);
    }
  }

  #receive(fields: WireReader): void {
    const type = fields.uint32();
    const id = type === mux.hello ? 'hello' : fields.uint32();
    this.#waiting.get(id)?.answered(type, fields);
  }

  #send(...fields: readonly Field[]): void {
    this.#socket.write(encode(encode(...fields))); // a frame is `uint32 length | body`, as an SSH string is
  }
}

function forwardAnswer(type: number, fields: WireReader): ForwardAnswer | undefined {
  if (type === control.serverOk) return { granted: true };
  if (type === control.serverRemotePort) return { granted: true, port: fields.uint32() };
  if (type === mux.serverFailure || type === mux.serverPermissionDenied) return { granted: false, said: fields.text() };
  return undefined;
}

function fieldsOf({ kind, listen, connect: to }: MuxForward): Field[] {
  return [forwardKinds[kind], ...endFields(listen), ...endFields(to)];
}

function endFields(end: ForwardEnd): Field[] {
  return 'path' in end ? [end.path, streamlocalPort] : [end.host, end.port];
}

function lost(why: string, cause?: unknown): ViasshError {
  return new ViasshError('CONNECTION_LOST', `the ssh master does not answer on its control socket: ${why}`, { cause });
}
