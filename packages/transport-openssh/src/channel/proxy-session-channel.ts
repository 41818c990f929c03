import {
  type ExitStatus,
  type PtyRequest,
  requestRefused,
  type SessionChannel,
  type SessionRequest,
  wireSignalName,
} from '@viassh/core';
import { extendedDataStderr, message } from '../mux/messages.ts';
import type { Field, WireReader } from '../mux/wire.ts';
import { ProxyChannel } from './proxy-channel.ts';
import type { ChannelInit } from './proxy-endpoint.ts';
import { Stderr } from './stderr.ts';

/** What became of a request; `none`: the channel closed first. */
type Answer = 'yes' | 'no' | 'none';

/** A session channel over the mux proxy (RFC 4254 §6). */
export class ProxySessionChannel extends ProxyChannel implements SessionChannel {
  readonly stderr: Stderr;
  readonly exit: Promise<ExitStatus>;
  readonly #replies: ((answer: Answer) => void)[] = [];
  #isOver = false;
  #status: ExitStatus = { kind: 'missing' };
  #settleExit: { resolve: (status: ExitStatus) => void; reject: (error: Error) => void };

  constructor(init: ChannelInit) {
    super(init);
    this.stderr = new Stderr(this.receiveWindow);
    const { promise, resolve, reject } = Promise.withResolvers<ExitStatus>();
    promise.catch(() => undefined); // the loss is also told by the channel itself
    this.exit = promise;
    this.#settleExit = { resolve, reject };
  }

  /**
   * Sends env, pty and the request itself in one go; resolves when the server accepted. With `mayBeClosed` false says that
   * the server had closed the channel before it read any of this.
   *
   * @throws REQUEST_REFUSED
   */
  async start(request: SessionRequest, forwardsAgent = false, mayBeClosed = false): Promise<boolean> {
    const replies: Promise<Answer>[] = [];
    this.link.together(() => {
      if (forwardsAgent) this.#request('auth-agent-req@openssh.com', false);
      for (const [name, value] of Object.entries(request.env ?? {})) this.#request('env', false, name, value);
      if (request.pty !== undefined) replies.push(this.#ask('pty-req', ...ptyFields(request.pty)));
      if (request.kind === 'exec') replies.push(this.#ask('exec', request.command));
      else if (request.kind === 'subsystem') replies.push(this.#ask('subsystem', request.subsystem));
      else replies.push(this.#ask('shell'));
    });
    const answers = await Promise.all(replies);
    if (mayBeClosed && answers.every((answer) => answer === 'none')) return false;
    if (request.pty !== undefined && answers[0] !== 'yes') throw requestRefused(request, 'pty');
    if (answers.at(-1) !== 'yes') throw requestRefused(request, 'request');
    return true;
  }

  /** Has the server answer: true when it did, false when the channel closed first. Answers come in order (RFC 4254 §4, §5.4). */
  async echo(): Promise<boolean> {
    return (await this.#ask('keepalive@openssh.com')) !== 'none';
  }

  sendSignal(name: string): void {
    this.#request('signal', false, wireSignalName(name));
  }

  changeWindow({
    columns,
    rows,
    width = 0,
    height = 0,
  }: Pick<PtyRequest, 'columns' | 'rows' | 'width' | 'height'>): void {
    this.#request('window-change', false, columns, rows, width, height);
  }

  override receive(type: number, fields: WireReader): void {
    if (type === message.channelSuccess || type === message.channelFailure)
      this.#replies.shift()?.(type === message.channelSuccess ? 'yes' : 'no');
    else if (type === message.channelExtendedData) this.#receiveExtended(fields.uint32(), fields.bytes());
    else super.receive(type, fields);
  }

  override _destroy(error: Error | null, done: (error: Error | null) => void): void {
    super._destroy(error, (reason) => {
      this.stderr.destroyUnlessEnded(reason);
      done(reason);
    });
  }

  protected override receiveRequest(name: string, fields: WireReader): boolean {
    if (name === 'exit-status') this.#status = { kind: 'status', code: fields.uint32() };
    else if (name === 'exit-signal') {
      this.#status = { kind: 'signal', signal: fields.text(), coreDumped: fields.boolean(), message: fields.text() };
    } else return false;
    return true;
  }

  protected override receiveEof(): void {
    super.receiveEof();
    this.stderr.receiveEof();
  }

  protected override left(reason: Error | undefined): void {
    super.left(reason);
    this.#isOver = true;
    if (reason !== undefined) this.stderr.lose(reason);
    for (const reply of this.#replies.splice(0)) reply('none'); // who waits for an answer gets none any more
    if (reason === undefined) this.#settleExit.resolve(this.#status);
    else this.#settleExit.reject(reason);
  }

  #receiveExtended(code: number, bytes: Buffer): void {
    if (!this.receiveWindow.received(bytes.length)) throw new RangeError('the far end sent more than its window');
    if (code === extendedDataStderr) this.stderr.receive(bytes);
    else this.receiveWindow.consumed(bytes.length);
  }

  #ask(name: string, ...fields: readonly Field[]): Promise<Answer> {
    if (this.#isOver) return Promise.resolve('none');
    const { promise, resolve } = Promise.withResolvers<Answer>();
    this.#replies.push(resolve);
    this.#request(name, true, ...fields);
    return promise;
  }

  #request(name: string, wantsReply: boolean, ...fields: readonly Field[]): void {
    if (!this.#isOver) this.link.send(message.channelRequest, this.remoteId, name, wantsReply, ...fields);
  }
}

/** RFC 4254 §6.2; no terminal modes: the far end's defaults. */
function ptyFields({ term, columns, rows, width = 0, height = 0 }: PtyRequest): readonly Field[] {
  const TTY_OP_END = 0; // RFC 4254 §8
  return [term, columns, rows, width, height, Buffer.from([TTY_OP_END])];
}
