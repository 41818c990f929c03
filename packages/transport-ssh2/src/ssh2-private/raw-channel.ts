import type { ExitStatus } from '@viassh/core';
import type { Client } from 'ssh2';

/** ssh2's own: bytes of window that it grants when a channel opens, and its largest packet. */
export const windowSize: number = 2 * 1024 * 1024;
const PACKET_SIZE = 32 * 1024;
/** Consumed bytes are granted again in steps of this size. Smaller steps cost CPU, larger ones throughput on long lines. */
const GRANT_STEP = 256 * 1024;

/** What a channel hears from ssh2, in the order of the wire. Called synchronously while a packet is parsed. */
export interface RawChannelSink {
  data(chunk: Buffer): void;
  stderr(chunk: Buffer): void;
  eof(): void;
  exit(status: ExitStatus): void;
  /** The server sent more than was granted. */
  overflow(): void;
  /** CHANNEL_CLOSE came. */
  closed(): void;
}

/** One open channel below any stream. */
export interface RawChannel {
  /** `done` is called when the window has taken all of it; never after the channel is closed. */
  write(chunk: Buffer, done: () => void): void;
  eof(): void;
  close(): void;
  /** Tells that `bytes` were consumed. */
  grant(bytes: number): void;
  env(name: string, value: string): void;
  /** Calls back with true when the server accepted the request. */
  pty(size: PtySize & { term: string }, done: (accepted: boolean) => void): void;
  start(request: StartRequest, done: (accepted: boolean) => void): void;
  signal(name: string): void;
  windowChange(size: PtySize): void;
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

/** What to open. */
export type ChannelOpening =
  | { type: 'session' }
  | { type: 'direct-tcpip'; dstIP: string; dstPort: number; srcIP: string; srcPort: number }
  | { type: 'direct-streamlocal@openssh.com'; socketPath: string };

/**
 * Opens a channel. `onOpen` is called synchronously with the confirmation, so that nothing that follows it is missed;
 * `onFailure` gets ssh2's error, whose `reason` is the number of RFC 4254 §5.1.
 */
export function openRawChannel(
  client: Client,
  opening: ChannelOpening,
  onOpen: (raw: RawChannel) => RawChannelSink,
  onFailure: (error: Error) => void,
): void {
  const { _chanMgr: manager, _protocol: protocol } = inside(client);
  const answer = (error: Error | undefined, channel?: InsideChannel): void => {
    if (channel === undefined) onFailure(error ?? new Error('no answer'));
    else listen(channel, onOpen(rawChannel(protocol, channel)));
  };
  const id = manager.add(Object.assign(answer, { type: opening.type }));
  if (opening.type === 'session') protocol.session(id, windowSize, PACKET_SIZE);
  else if (opening.type === 'direct-tcpip') protocol.directTcpip(id, windowSize, PACKET_SIZE, opening);
  else protocol.openssh_directStreamLocal(id, windowSize, PACKET_SIZE, opening);
}

function rawChannel(protocol: InsideProtocol, channel: InsideChannel): RawChannel {
  const { incoming, outgoing } = channel;
  const reply = (done: (accepted: boolean) => void): void =>
    void channel._callbacks.push((failed) => done(failed === false));
  let consumed = 0;
  return {
    write(chunk, done) {
      if (outgoing.state === 'open') channel._write(chunk, 'buffer', done);
    },
    eof: () => channel.eof(),
    close: () => channel.close(),
    grant(bytes) {
      consumed += bytes;
      if (consumed < GRANT_STEP || incoming.state !== 'open' || !isUsable(outgoing.state)) return;
      incoming.window += consumed;
      protocol.channelWindowAdjust(outgoing.id, consumed);
      consumed = 0;
    },
    env(name, value) {
      if (isUsable(outgoing.state)) protocol.env(outgoing.id, name, value, false);
    },
    pty({ rows, columns, height, width, term }, done) {
      if (!isUsable(outgoing.state)) return done(false);
      reply(done);
      protocol.pty(outgoing.id, rows, columns, height, width, term, null, true);
    },
    start(request, done) {
      if (!isUsable(outgoing.state)) return done(false);
      reply(done);
      if (request.kind === 'exec') protocol.exec(outgoing.id, request.command, true);
      else if (request.kind === 'shell') protocol.shell(outgoing.id, true);
      else protocol.subsystem(outgoing.id, request.subsystem, true);
    },
    signal(name) {
      if (isUsable(outgoing.state)) protocol.signal(outgoing.id, name);
    },
    windowChange({ rows, columns, height, width }) {
      if (isUsable(outgoing.state)) protocol.windowChange(outgoing.id, rows, columns, height, width);
    },
  };
}

/**
 * Leads what ssh2 would push into its own streams to the sink: one stream less on the way, and the window follows what
 * was consumed of stdout and stderr together. Answering `false` keeps ssh2 from granting by itself.
 */
function listen(channel: InsideChannel, sink: RawChannelSink): void {
  const { incoming } = channel;
  const pushTo =
    (take: (chunk: Buffer) => void) =>
    (chunk: Buffer | null): boolean => {
      if (chunk === null) return false;
      if (incoming.window < 0) sink.overflow();
      else take(chunk);
      return false;
    };
  const pushError = pushTo((chunk) => sink.stderr(chunk));
  const pushData = pushTo((chunk) => sink.data(chunk));
  channel.stderr.push = pushError;
  channel.push = (chunk) => {
    if (chunk === null && incoming.state === 'eof') sink.eof();
    if (chunk === null && incoming.state === 'closed') sink.closed();
    return pushData(chunk);
  };
  channel.on('exit', (code: number | null, signal = '', coreDumped = false, message = '') => {
    if (code === null) sink.exit({ kind: 'signal', signal: signal.replace(/^SIG/, ''), coreDumped, message });
    else sink.exit({ kind: 'status', code });
  });
}

function isUsable(state: string): boolean {
  return state === 'open' || state === 'eof';
}

function inside(client: Client): InsideClient {
  return client as unknown as InsideClient;
}

interface InsideClient {
  readonly _chanMgr: { add(answer: object): number };
  readonly _protocol: InsideProtocol;
}

interface InsideProtocol {
  session(id: number, window: number, packetSize: number): void;
  directTcpip(id: number, window: number, packetSize: number, target: object): void;
  openssh_directStreamLocal(id: number, window: number, packetSize: number, target: object): void;
  channelWindowAdjust(id: number, bytes: number): void;
  env(id: number, name: string, value: string, wantReply: boolean): void;
  pty(
    id: number,
    rows: number,
    columns: number,
    height: number,
    width: number,
    term: string,
    modes: null,
    wantReply: boolean,
  ): void;
  exec(id: number, command: string, wantReply: boolean): void;
  shell(id: number, wantReply: boolean): void;
  subsystem(id: number, name: string, wantReply: boolean): void;
  signal(id: number, name: string): void;
  windowChange(id: number, rows: number, columns: number, height: number, width: number): void;
}

interface InsideChannel {
  push(chunk: Buffer | null): boolean;
  readonly stderr: { push(chunk: Buffer | null): boolean };
  readonly incoming: { window: number; readonly state: string };
  readonly outgoing: { readonly id: number; readonly state: string };
  readonly _callbacks: ((failed: boolean | Error) => void)[];
  _write(chunk: Buffer, encoding: string, done: () => void): void;
  eof(): void;
  close(): void;
  on(
    event: 'exit',
    listener: (code: number | null, signal?: string, coreDumped?: boolean, message?: string) => void,
  ): void;
}
