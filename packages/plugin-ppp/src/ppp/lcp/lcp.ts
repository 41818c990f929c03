import { ViasshError } from '@viassh/core';
import { LCP_PROTOCOL } from '../../framing/framing.ts';
import { Code, type ControlPacket, controlPacket } from '../control/control-packet.ts';
import { ControlProtocol } from '../control/control-protocol.ts';
import type { PppOptions } from '../ppp-session.ts';
import { createEcho, type Echo } from './echo.ts';
import { LcpNegotiation } from './lcp-negotiation.ts';

/** What an {@link Lcp} is made with. */
export interface LcpOptions {
  readonly session: PppOptions;
  readonly send: (protocol: number, packet: Buffer) => void;
  readonly atomic: (step: () => void) => void;
  readonly up: () => void;
  readonly down: () => void;
  readonly finished: (error?: ViasshError) => void;
  /** It cannot be agreed on; `finished` follows when the other side has been told. */
  readonly failing: (error: ViasshError) => void;
  /** The session cannot go on, and the other side need not be told. */
  readonly broken: (error: ViasshError) => void;
  readonly protocolRejected: (protocol: number) => void;
}

/** Unanswered echoes until the other side is given up, where nobody says. */
const ECHO_FAILURES = 4;

/** The Link Control Protocol: what both sides ask of the link, whether it leads back to us, whether somebody is there. */
export class Lcp {
  readonly negotiation: LcpNegotiation;
  readonly control: ControlProtocol;
  readonly #options: LcpOptions;
  readonly #echo: Echo;
  #answered: { readonly id: number; readonly done: () => void } | undefined;

  constructor(options: LcpOptions) {
    const { session, send, atomic, finished, failing } = options;
    this.#options = options;
    this.negotiation = new LcpNegotiation(session);
    const failures = session.echoFailures ?? ECHO_FAILURES;
    this.#echo = createEcho({
      clock: session.clock,
      intervalMs: session.echoIntervalMs ?? 0,
      failures,
      ask: () => this.#ask(),
      lost: () =>
        options.broken(
          new ViasshError('PPP_SILENT', `the far end has not answered ${failures} echo requests in a row`),
        ),
    });
    this.control = new ControlProtocol({
      name: 'LCP',
      clock: session.clock,
      log: session.log,
      negotiation: this.negotiation,
      atomic,
      peerMru: () => this.negotiation.peer.mru,
      send: (packet) => send(LCP_PROTOCOL, packet),
      other: (packet) => this.#other(packet),
      up: () => {
        this.#echo.start();
        options.up();
      },
      down: () => {
        this.stop();
        options.down();
      },
      finished,
      failing,
    });
  }

  receive(packet: ControlPacket): void {
    this.control.receive(packet);
    if (this.negotiation.looped) this.#options.broken(looped());
  }

  /** Something came: the other side is there. */
  alive(): void {
    this.#echo.alive();
  }

  /** Calls back when the other side has answered, and with that has done all that it was sent before. */
  roundTrip(done: () => void): void {
    this.#answered = { id: this.#ask(), done };
  }

  /** Tells the other side that nobody here speaks this protocol. */
  rejectProtocol(protocol: number, payload: Buffer): void {
    const head = Buffer.from([protocol >>> 8, protocol & 0xff]);
    const rejected = payload.subarray(0, Math.max(0, this.negotiation.peer.mru - 6));
    this.#send(Code.protocolReject, this.control.nextId(), Buffer.concat([head, rejected]));
  }

  /** No more echoes. */
  stop(): void {
    this.#echo.stop();
    this.#answered = undefined;
  }

  #ask(): number {
    const id = this.control.nextId();
    this.#send(Code.echoRequest, id, this.#magic());
    return id;
  }

  #other({ code, id, data }: ControlPacket): boolean {
    switch (code) {
      case Code.protocolReject:
        if (this.control.opened && data.length >= 2) this.#options.protocolRejected(data.readUInt16BE(0));
        return true;
      case Code.echoRequest:
        if (this.control.opened) this.#answer(id, data);
        return true;
      case Code.echoReply:
        if (this.#answered?.id !== id) return true;
        this.#answered.done();
        this.#answered = undefined;
        return true;
      default:
        return code === Code.discardRequest;
    }
  }

  #answer(id: number, data: Buffer): void {
    const { magic, peer } = this.negotiation;
    if (magic !== 0 && data.length >= 4 && data.readUInt32BE(0) === magic) return this.#options.broken(looped());
    if (data.length + 4 <= peer.mru) this.#send(Code.echoReply, id, Buffer.concat([this.#magic(), data.subarray(4)]));
  }

  #magic(): Buffer {
    const bytes = Buffer.alloc(4);
    bytes.writeUInt32BE(this.negotiation.magic);
    return bytes;
  }

  #send(code: number, id: number, data: Uint8Array): void {
    this.#options.send(LCP_PROTOCOL, controlPacket(code, id, data));
  }
}

function looped(): ViasshError {
  return new ViasshError(
    'PPP_LOOPED',
    'the far end sends back what we send: it is a terminal or a shell, and no PPP program',
    {
      hint: 'check the command that runs there',
    },
  );
}
