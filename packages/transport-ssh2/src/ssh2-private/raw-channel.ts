import type { ExitStatus } from '@viassh/core';
import type { Client } from 'ssh2';
import { type ChannelMessages, type ChannelTable, channelTable, type FarEndOfChannel } from './channel-table.ts';
import { type Field, message, sendData, sendMessage } from './payload.ts';

const STDERR = 1; // SSH_EXTENDED_DATA_STDERR, RFC 4254 §5.2

/** What a channel hears, in the order of the wire. Called synchronously while a packet is parsed. */
export interface RawChannelSink {
  data(chunk: Buffer): void;
  /** Extended data; of a type that is none for stderr it counts, and is not for anybody. */
  stderr(chunk: Buffer, isStderr: boolean): void;
  eof(): void;
  exit(status: ExitStatus): void;
  /** The other side takes more. */
  roomCame?(): void;
  /** CHANNEL_CLOSE came. */
  closed(): void;
}

/** RFC 4254 §6.2, in its units. */
interface PtySize {
  columns: number;
  rows: number;
  width: number;
  height: number;
}

/** RFC 4254 §6.5. */
export type StartRequest =
  | { kind: 'exec'; command: string }
  | { kind: 'shell' }
  | { kind: 'subsystem'; subsystem: string };

const nothing = (): void => undefined;

type Answer = (accepted: boolean) => void;

/** One open channel below any stream. After its end nothing is sent, and no answer comes any more. */
export class RawChannel {
  readonly #client: Client;
  readonly #table: ChannelTable;
  readonly #farEnd: FarEndOfChannel;
  readonly #release: () => void;
  readonly #answers: Answer[] = [];
  #sink!: RawChannelSink;
  /** What is written goes out at once, and not with what others have to say in the same turn of the event loop. */
  readonly #atOnce: boolean;
  #window: number;
  #sending: 'open' | 'eof' | 'closed' = 'open';
  /** eow@openssh.com (PROTOCOL §2.1): what is written is not read by anybody. */
  #unread = false;
  #hasExited = false;
  #pending: { chunk: Buffer; done: () => void } | undefined;

  /** `release`: it is off the table for good. */
  constructor(client: Client, farEnd: FarEndOfChannel, release: () => void, atOnce = false) {
    this.#client = client;
    this.#table = channelTable(client);
    this.#farEnd = farEnd;
    this.#release = release;
    this.#window = farEnd.window;
    this.#atOnce = atOnce;
  }

  /** Who hears of it: to be set as it opens. */
  listen(sink: RawChannelSink): void {
    this.#sink = sink;
  }

  /** What the other side may still be sent, and the longest packet that it takes; 0 once it is closed. */
  get room(): { readonly window: number; readonly packetSize: number } {
    const usable = this.#table.live && this.#sending === 'open';
    return { window: usable ? this.#window : 0, packetSize: this.#farEnd.packetSize };
  }

  /**
   * `done` is called when the window has taken all of it, or in a later turn when it was dropped: nothing else would hold
   * the writer back. A write that waits for the window when the channel is closed is never done.
   */
  write(chunk: Buffer, done: () => void): void {
    if (this.#sending !== 'open') return;
    this.#pending = { chunk, done };
    this.#flush();
  }

  /** One packet of two parts, though the window were too small for it; `debit` is taken from the window. */
  writePacket(body: Buffer, head: Buffer | undefined, debit: number): void {
    this.#window -= debit;
    sendData(this.#client, this.#farEnd.id, body, head);
  }

  eof(): void {
    if (this.#sending !== 'open') return;
    this.#sending = 'eof';
    this.#send(message.channelEof);
  }

  /** CHANNEL_CLOSE, once; also as the answer to the other side's. */
  close(): void {
    if (this.#sending === 'closed') return;
    this.#send(message.channelClose);
    this.#sending = 'closed';
    this.#pending = undefined;
  }

  /** The other side may send so many bytes more. */
  grant(bytes: number): void {
    this.#send(message.channelWindowAdjust, bytes);
  }

  env(name: string, value: string): void {
    this.#request('env', undefined, name, value);
  }

  pty({ rows, columns, height, width, term }: PtySize & { term: string }, answer: Answer): void {
    const noModes = Buffer.from([0]); // TTY_OP_END, §8
    this.#request('pty-req', answer, term, columns, rows, width, height, noModes);
  }

  /** RFC 4254 §6.3.1. */
  x11(single: boolean, protocol: string, cookie: string, screen: number, answer: Answer): void {
    this.#request('x11-req', answer, single, protocol, cookie, screen);
  }

  /** OpenSSH's PROTOCOL.agent; as ssh does, without asking whether it was granted. */
  agentForwarding(): void {
    this.#request('auth-agent-req@openssh.com', undefined);
  }

  start(request: StartRequest, answer: Answer): void {
    if (request.kind === 'exec') this.#request('exec', answer, request.command);
    else if (request.kind === 'shell') this.#request('shell', answer);
    else this.#request('subsystem', answer, request.subsystem);
  }

  signal(name: string): void {
    this.#request('signal', undefined, name);
  }

  windowChange({ rows, columns, height, width }: PtySize): void {
    this.#request('window-change', undefined, columns, rows, width, height);
  }

  /** What the wire tells of this channel goes here. */
  get messages(): ChannelMessages {
    return {
      confirmed: nothing,
      failed: nothing,
      data: (chunk) => this.#sink.data(chunk),
      extendedData: (chunk, type) => this.#sink.stderr(chunk, type === STDERR),
      windowAdjust: (bytes) => {
        this.#window += bytes;
        this.#flush();
        this.#sink.roomCame?.();
      },
      reply: (accepted) => this.#answers.shift()?.(accepted),
      request: (name, wantReply, fields) => this.#heard(name, wantReply, fields),
      eof: () => this.#sink.eof(),
      close: () => this.#closedByFarEnd(),
    };
  }

  #heard(name: string, wantReply: boolean, fields: unknown): void {
    if (name === 'exit-status') this.#exited({ kind: 'status', code: fields as number });
    else if (name === 'exit-signal') {
      const { signal, coreDumped, errorMessage } = fields as ExitSignal;
      this.#exited({ kind: 'signal', signal, coreDumped, message: errorMessage });
    } else if (name === 'eow@openssh.com') {
      this.#unread = true;
      this.#flush();
    } else if (wantReply) this.#send(message.channelFailure);
  }

  /** The first word counts. */
  #exited(status: ExitStatus): void {
    if (this.#hasExited) return;
    this.#hasExited = true;
    this.#sink.exit(status);
  }

  #closedByFarEnd(): void {
    this.#release();
    this.close();
    this.#sink.closed();
    for (const answer of this.#answers.splice(0)) answer(false);
  }

  #flush(): void {
    const pending = this.#pending;
    if (pending === undefined) return;
    const { packetSize } = this.#farEnd;
    let { chunk } = pending;
    while (chunk.length > 0 && !this.#unread) {
      const taken = Math.min(chunk.length, this.#window, packetSize);
      if (taken <= 0) {
        pending.chunk = chunk;
        return;
      }
      this.#window -= taken;
      if (this.#table.live) sendData(this.#client, this.#farEnd.id, chunk.subarray(0, taken), undefined, this.#atOnce);
      chunk = chunk.subarray(taken);
    }
    this.#pending = undefined;
    if (this.#unread) setImmediate(pending.done);
    else pending.done();
  }

  #request(name: string, answer: Answer | undefined, ...fields: Field[]): void {
    if (this.#sending === 'closed' || !this.#table.live) return answer?.(false);
    if (answer !== undefined) this.#answers.push(answer);
    this.#send(message.channelRequest, name, answer !== undefined, ...fields);
  }

  #send(type: number, ...fields: Field[]): void {
    if (this.#sending !== 'closed' && this.#table.live) sendMessage(this.#client, type, this.#farEnd.id, ...fields);
  }
}

interface ExitSignal {
  readonly signal: string;
  readonly coreDumped: boolean;
  readonly errorMessage: string;
}
