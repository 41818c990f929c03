import { type ChildProcessWithoutNullStreams, spawn } from 'node:child_process';
import { Duplex, type Readable } from 'node:stream';
import * as core from '@viassh/core';

/** Commands of this machine's own shell: nobody to reach, to verify or to log in to. */
export class ToyTransport implements core.Transport {
  readonly name = 'toy';
  readonly capabilities: ReadonlySet<core.Capability> = new Set(['exec']);
  readonly connections: ToyConnection[] = [];
  readonly maxSessions: number;
  sessionsOpened = 0;

  constructor(maxSessions = 100) {
    this.maxSessions = maxSessions;
  }

  async available(): Promise<core.Availability> {
    return { ok: true, detail: '/bin/sh' };
  }

  async connect({ hops }: core.Route, { signal }: core.ConnectOptions): Promise<core.Connection> {
    if (signal?.aborted === true) throw core.abortedError(signal.reason);
    const connection = new ToyConnection(this, hops);
    this.connections.push(connection);
    return connection;
  }
}

class ToyConnection implements core.Connection {
  readonly transport = 'toy';
  readonly capabilities: ReadonlySet<core.Capability>;
  readonly info: core.ConnectionInfo;
  readonly #ended = Promise.withResolvers<core.CloseReason>();
  readonly closed = this.#ended.promise;
  readonly #channels = new Set<ToyChannel>();
  readonly #toy: ToyTransport;
  #over: core.ViasshError | undefined;

  constructor(toy: ToyTransport, hops: core.Route['hops']) {
    this.#toy = toy;
    this.capabilities = toy.capabilities;
    const isOver = (): boolean => this.#over !== undefined;
    const infos = hops.map(({ user, hostName, port }) => ({
      peer: `${user}@${hostName}:${port}`,
      get state() {
        return isOver() ? ('ended' as const) : ('up' as const);
      },
    }));
    this.info = Object.defineProperty({ hops: infos, peer: '', state: 'up', ...infos.at(-1) }, 'state', {
      get: () => infos.at(-1)?.state,
    }) as core.ConnectionInfo;
  }

  async openSession(request: core.SessionRequest): Promise<core.SessionChannel> {
    this.#check(request.signal);
    if (request.kind !== 'exec') throw core.capabilityMissing(this.transport, request.kind);
    if (request.pty !== undefined) throw core.capabilityMissing(this.transport, 'pty');
    if (request.x11 !== undefined) throw core.capabilityMissing(this.transport, 'x11');
    if (this.#channels.size >= this.#toy.maxSessions) throw core.channelRefused({ type: 'session' }, 1, '');
    await new Promise((resolve) => setImmediate(resolve)); // a server would answer now; until then we may be aborted
    this.#check(request.signal);
    this.#toy.sessionsOpened += 1;
    const channel = new ToyChannel(request.command);
    this.#channels.add(channel);
    void channel.over.then(() => this.#channels.delete(channel));
    return channel;
  }

  async pipe(command: string, options?: core.PipeOptions): Promise<core.Pipe> {
    return await core.pipe(this, { kind: 'exec', command }, options);
  }

  async ping({ signal }: { signal?: AbortSignal | undefined } = {}): Promise<number> {
    const start = performance.now();
    this.#check(signal);
    await new Promise((resolve) => setImmediate(resolve));
    this.#check(signal);
    return performance.now() - start;
  }

  async openDirectTcpip(): Promise<never> {
    throw core.capabilityMissing(this.transport, 'direct-tcpip');
  }

  async openDirectStreamlocal(): Promise<never> {
    throw core.capabilityMissing(this.transport, 'direct-streamlocal');
  }

  async openTun(): Promise<never> {
    throw core.capabilityMissing(this.transport, 'tun');
  }

  async requestForward({ kind }: core.RemoteForwardRequest): Promise<never> {
    throw core.capabilityMissing(this.transport, `forwarded-${kind}`);
  }

  onIncomingChannel(type: core.IncomingChannelType): never {
    throw core.capabilityMissing(this.transport, type === 'x11' ? 'x11' : 'agent');
  }

  async close({ drainMs = 0 }: core.CloseOptions = {}): Promise<void> {
    this.#over ??= new core.ViasshError('CONNECTION_CLOSED', 'the connection was closed');
    const timeout = Promise.withResolvers<void>();
    const timer = setTimeout(() => timeout.resolve(), drainMs);
    await Promise.race([Promise.all([...this.#channels].map(({ over }) => over)), timeout.promise]);
    clearTimeout(timer);
    for (const channel of this.#channels) channel.destroy();
    this.#ended.resolve({ kind: 'closed' });
  }

  async [Symbol.asyncDispose](): Promise<void> {
    await this.close();
  }

  /** The far end dies. */
  lose(): void {
    this.#over ??= new core.ViasshError('CONNECTION_LOST', 'the connection was lost');
    for (const channel of this.#channels) channel.destroy(this.#over);
    this.#ended.resolve({ kind: 'lost', error: this.#over });
  }

  #check(signal: AbortSignal | undefined): void {
    if (this.#over !== undefined) throw this.#over;
    if (signal?.aborted === true) throw core.abortedError(signal.reason);
  }
}

class ToyChannel extends Duplex implements core.SessionChannel {
  readonly type = 'session';
  readonly #exit = Promise.withResolvers<core.ExitStatus>();
  readonly exit = this.#exit.promise;
  /** Resolves when the command has ended or the channel was destroyed. */
  readonly over = this.exit.then(
    () => undefined,
    () => undefined,
  );
  readonly #program: ChildProcessWithoutNullStreams;
  #done = false;

  constructor(command: string) {
    super({ autoDestroy: false, readableHighWaterMark: 1024 * 1024 });
    const { PATH, HOME } = process.env;
    this.#program = spawn('/bin/sh', ['-c', command], { detached: true, env: { PATH, HOME } });
    const { stdin, stdout } = this.#program;
    for (const stream of [this, stdin, stdout, this.stderr]) stream.on('error', () => undefined);
    stdout.on('data', (chunk: Buffer) => void (this.push(chunk) || stdout.pause())).once('end', () => this.push(null));
    this.#program.once('exit', (code, signal) => {
      this.#done = true;
      this.#exit.resolve(
        signal === null
          ? { kind: 'status', code: code ?? 0 }
          : { kind: 'signal', signal: signal.slice(3), coreDumped: false, message: '' },
      );
      if (this.readableEnded) this.destroy();
    });
    this.once('end', () => this.#done && this.destroy());
  }

  get stderr(): Readable {
    return this.#program.stderr;
  }

  override _read(): void {
    this.#program.stdout.resume();
  }

  override _write(chunk: Buffer, _encoding: BufferEncoding, taken: () => void): void {
    this.#program.stdin.write(chunk, () => taken()); // what nobody reads any more is dropped
  }

  override _final(ended: () => void): void {
    this.#program.stdin.end();
    ended();
  }

  override _destroy(error: Error | null, destroyed: (error: Error | null) => void): void {
    const { stdin, stdout, stderr, pid } = this.#program;
    for (const stream of this.#done ? [stdin, stdout] : [stdin, stdout, stderr]) stream.destroy();
    if (!this.#done && pid !== undefined) process.kill(-pid, 'SIGHUP'); // its children too
    if (error === null) this.#exit.resolve({ kind: 'missing' });
    else this.#exit.reject(error);
    destroyed(error);
  }

  sendSignal(name: string): void {
    this.#program.kill(`SIG${core.wireSignalName(name)}` as NodeJS.Signals);
  }

  changeWindow(): void {}
}
