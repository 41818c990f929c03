import { type Clock, type ClockTimer, type Logger, ViasshError } from '@viassh/core';
import { type Action, type Event, type State, transition } from './automaton.ts';
import { Code, type ControlPacket, controlPacket } from './control-packet.ts';
import { type ConfigOption, encodeOptions, parseOptions, showOptions, type Verdict } from './options.ts';

/** What a protocol negotiates: the options, without the automaton that carries them. */
export interface Negotiation {
  /** For a log. */
  readonly optionNames: Readonly<Record<number, string>>;
  /** What we ask for at the moment. */
  request(): readonly ConfigOption[];
  /** What the other side asks for. Without effect: `agreed` tells that an answer of `ack` was sent. */
  judge(options: readonly ConfigOption[]): Verdict;
  /** These of the other side hold, as soon as the layer is up. */
  agreed(options: readonly ConfigOption[]): void;
  /** The other side would rather have these. An error: we cannot. */
  naked(options: readonly ConfigOption[]): ViasshError | undefined;
  /** The other side will not have these. An error: we cannot do without. */
  rejected(options: readonly ConfigOption[]): ViasshError | undefined;
}

/** What a {@link ControlProtocol} is made with. */
export interface ControlProtocolOptions {
  /** `LCP`, `IPCP`: for messages. */
  readonly name: string;
  readonly clock: Clock;
  readonly log: Logger;
  readonly negotiation: Negotiation;
  /** Codes beyond Code-Reject that it knows; true when it was one. */
  readonly other?: ((packet: ControlPacket) => boolean) | undefined;
  readonly send: (packet: Buffer) => void;
  /** Runs what a timer sets off as one step. */
  readonly atomic: (step: () => void) => void;
  /** Bytes of the largest packet that the other side takes. */
  readonly peerMru: () => number;
  readonly up: () => void;
  readonly down: () => void;
  /** Will not come up, or not again. Without an error: it was closed, by either side. */
  readonly finished: (error?: ViasshError) => void;
  /** `finished` will tell this, as soon as the other side has been told. */
  readonly failing?: ((error: ViasshError) => void) | undefined;
}

/** Milliseconds until an answer is overdue: the RFC's own (§4.6). A shorter one makes a slow link negotiate twice. */
const RESTART_MS = 3000;
/** Configure-Requests without any answer, Terminate-Requests, and answers of Nak before it is Reject (§4.6). */
const MAX_CONFIGURE = 10;
const MAX_TERMINATE = 2;
const MAX_NAK = 5;
/** Refusals in a row, by either side, until nobody will ever agree. */
const MAX_REFUSALS = 20;
/** A Configure-Request has to fit where nothing was agreed on (RFC 1661 §6.1), bytes. */
const MAX_REQUEST = 1500;

/** Carries a {@link Negotiation} through the automaton of RFC 1661 §4: restart timer, identifiers, and the limits on both. */
export class ControlProtocol {
  readonly #options: ControlProtocolOptions;
  #state: State = 'initial';
  #timer: ClockTimer | undefined;
  #restarts = 0;
  /** Our request as long as it has no answer: the same, identifier and all, is sent again. A second answer is none. */
  #request: { readonly id: number; readonly options: Buffer } | undefined;
  /** Theirs that was acknowledged last. */
  #acknowledged: ControlPacket | undefined;
  #lastId = 0;
  #refusedByThem = 0;
  #refusedByUs = 0;
  /** The request that was refused last: asked again, because the answer was lost, it is no second one. */
  #refusedId: number | undefined;
  #lastRefused = '';
  #error: ViasshError | undefined;
  /** The packet and the verdict that the actions of this event are about. */
  #packet: ControlPacket | undefined;
  #verdict: Verdict | undefined;
  #terminateText = '';
  #farewell = '';
  #unknownThere = false;
  #heard = false;

  constructor(options: ControlProtocolOptions) {
    this.#options = options;
  }

  get state(): State {
    return this.#state;
  }

  get opened(): boolean {
    return this.#state === 'opened';
  }

  lowerUp(): void {
    this.#happen('Up');
  }

  lowerDown(): void {
    this.#happen('Down');
  }

  open(): void {
    this.#happen('Open');
  }

  /** Ends it with a Terminate-Request; `text` says why, to a person over there. */
  close(text = ''): void {
    this.#terminateText = text;
    this.#happen('Close');
  }

  /** Ends it, and `finished` will tell this error. */
  fail(error: ViasshError, text = ''): void {
    this.#error ??= error;
    this.#options.failing?.(this.#error);
    this.close(text);
  }

  /** True when the other side does not know this protocol. */
  get unknownThere(): boolean {
    return this.#unknownThere;
  }

  /** What the other side said when it ended this. */
  get farewell(): string {
    return this.#farewell;
  }

  /** The other side does not know this protocol. */
  protocolRejected(): void {
    this.#unknownThere = true;
    this.#error ??= new ViasshError('PPP_FAILED', `the far end does not speak ${this.#options.name}`);
    this.#happen('RXJ-');
  }

  /** An identifier that no answer on the way has. */
  nextId(): number {
    this.#lastId = (this.#lastId + 1) & 0xff;
    return this.#lastId;
  }

  receive(packet: ControlPacket): void {
    if (!this.#heard && packet.code === Code.configureRequest) this.#repeatUnheard();
    this.#heard = true;
    this.#packet = packet;
    switch (packet.code) {
      case Code.configureRequest:
        return this.#takeRequest(packet);
      case Code.configureAck:
      case Code.configureNak:
      case Code.configureReject:
        return this.#takeAnswer(packet);
      case Code.terminateRequest:
        return this.#takeTermination(packet);
      case Code.terminateAck:
        return this.#happen('RTA');
      case Code.codeReject:
        // What every implementation has to know cannot be missing (§5.6).
        if ((packet.data[0] ?? 0) <= Code.codeReject) return this.protocolRejected();
        return this.#happen('RXJ+');
      default:
        if (this.#options.other?.(packet) !== true) this.#happen('RUC');
    }
  }

  /**
   * A program that has only just begun to listen may have missed our request, and the timer would be slow to notice. Goes
   * before the answer to theirs: after it they may be up, and a request would take them down again.
   */
  #repeatUnheard(): void {
    if (this.#state !== 'req-sent' || this.#request === undefined) return;
    this.#send(Code.configureRequest, this.#request.id, this.#request.options);
  }

  #takeRequest(packet: ControlPacket): void {
    const { negotiation } = this.#options;
    const options = packet.data.length > MAX_REQUEST ? undefined : parseOptions(packet.data);
    if (options === undefined) return;
    const last = this.#acknowledged;
    // It asked twice because our answer was slow: that is no wish to begin anew.
    if (this.opened && last !== undefined && last.id === packet.id && last.data.equals(packet.data)) {
      return this.#send(Code.configureAck, packet.id, packet.data);
    }
    this.#log(`asks for ${showOptions(options, negotiation.optionNames)}`);
    this.#verdict = negotiation.judge(options);
    if (this.#verdict.answer === 'nak' && this.#refusedByUs >= MAX_NAK) {
      const types = new Set(this.#verdict.options.map(({ type }) => type));
      const rejected = options.filter(({ type }) => types.has(type));
      this.#verdict = rejected.length > 0 ? { answer: 'reject', options: rejected } : { answer: 'ack', options };
    }
    if (this.#verdict.answer === 'ack') {
      negotiation.agreed(options);
      this.#acknowledged = { ...packet, data: Buffer.from(packet.data) };
      this.#refusedByUs = 0;
      return this.#happen('RCR+');
    }
    if (packet.id !== this.#refusedId || this.#refusedByUs === 0) this.#refused('Us', this.#verdict.options);
    this.#refusedId = packet.id;
    this.#happen('RCR-');
    this.#giveUpAfter(this.#refusedByUs, 'the far end insists on');
  }

  #takeAnswer(packet: ControlPacket): void {
    const { negotiation } = this.#options;
    if (this.#request === undefined || packet.id !== this.#request.id) return;
    if (packet.code === Code.configureAck) {
      if (!packet.data.equals(this.#request.options)) return;
      this.#refusedByThem = 0;
      this.#request = undefined;
      return this.#happen('RCA');
    }
    const options = parseOptions(packet.data);
    if (options === undefined || options.length === 0) return;
    const asked = parseOptions(this.#request.options) ?? [];
    const reject = packet.code === Code.configureReject;
    // One that was not asked for, or with another value, cannot have been rejected (§5.4).
    if (reject && !options.every((one) => asked.some(({ type, data }) => type === one.type && data.equals(one.data)))) {
      return;
    }
    this.#log(`${reject ? 'rejects' : 'would rather have'} ${showOptions(options, negotiation.optionNames)}`);
    this.#request = undefined;
    const error = reject ? negotiation.rejected(options) : negotiation.naked(options);
    if (error !== undefined) return this.fail(error);
    this.#refused('Them', options);
    this.#happen('RCN');
    this.#giveUpAfter(this.#refusedByThem, 'the far end does not take what we ask for:');
  }

  #takeTermination({ data }: ControlPacket): void {
    const { name, log } = this.#options;
    this.#farewell = data.toString('utf8');
    const words = this.#farewell === '' ? '' : `: ${this.#farewell}`;
    log.info(`${name}: the far end ends it${words}`);
    const negotiating = answering.has(this.#state);
    this.#happen('RTR');
    // The RFC would go on asking until nobody answers: it will not be agreed any more.
    if (negotiating) this.fail(new ViasshError('PPP_FAILED', `the far end gave up on ${name}${words}`));
  }

  #refused(by: 'Us' | 'Them', options: readonly ConfigOption[]): void {
    if (by === 'Us') this.#refusedByUs += 1;
    else this.#refusedByThem += 1;
    this.#lastRefused = showOptions(options, this.#options.negotiation.optionNames);
  }

  #giveUpAfter(refusals: number, words: string): void {
    if (refusals < MAX_REFUSALS || this.#error !== undefined) return;
    this.fail(new ViasshError('PPP_FAILED', `${this.#options.name}: ${words} ${this.#lastRefused}`));
  }

  #happen(event: Event): void {
    const step = transition(this.#state, event);
    if (step === undefined) return;
    if (event === 'TO-' && answering.has(this.#state)) {
      this.#error ??= new ViasshError('PPP_SILENT', `the far end does not answer ${this.#options.name}`);
    }
    this.#state = step.next;
    if (!timed.has(step.next)) this.#stopTimer();
    for (const action of step.actions) this.#act(action, step.actions);
  }

  #act(action: Action, all: readonly Action[]): void {
    switch (action) {
      case 'tlu':
        return this.#options.up();
      case 'tld':
        return this.#options.down();
      case 'tlf':
        return this.#options.finished(this.#error);
      case 'irc':
        this.#restarts = all.includes('str') ? MAX_TERMINATE : MAX_CONFIGURE;
        return;
      case 'zrc':
        this.#restarts = 0;
        return this.#startTimer();
      case 'scr':
        return this.#sendRequest();
      case 'sca':
        return this.#send(Code.configureAck, this.#packet!.id, this.#packet!.data);
      case 'scn':
        return this.#sendRefusal(this.#verdict!);
      case 'str':
        this.#restarts -= 1;
        this.#startTimer();
        return this.#send(Code.terminateRequest, this.nextId(), Buffer.from(this.#terminateText));
      case 'sta':
        return this.#send(Code.terminateAck, this.#packet!.id, Buffer.alloc(0));
      case 'scj': {
        const { code, id, data } = this.#packet!;
        return this.#send(Code.codeReject, this.nextId(), controlPacket(code, id, data));
      }
      case 'tls': // the layer below is started by whoever opens this one
      case 'ser': // by whoever knows echoes
        return;
      default:
        action satisfies never;
    }
  }

  #sendRequest(): void {
    this.#restarts -= 1;
    if (this.#request === undefined) {
      const { negotiation } = this.#options;
      const options = negotiation.request();
      this.#request = { id: this.nextId(), options: encodeOptions(options) };
      this.#log(`we ask for ${showOptions(options, negotiation.optionNames)}`);
    }
    this.#startTimer();
    this.#send(Code.configureRequest, this.#request.id, this.#request.options);
  }

  #sendRefusal({ answer, options }: Verdict): void {
    this.#log(
      `we ${answer === 'nak' ? 'would rather have' : 'reject'} ${showOptions(options, this.#options.negotiation.optionNames)}`,
    );
    const code = answer === 'nak' ? Code.configureNak : Code.configureReject;
    this.#send(code, this.#packet!.id, encodeOptions(options));
  }

  #send(code: number, id: number, data: Uint8Array): void {
    this.#options.send(controlPacket(code, id, data.subarray(0, Math.max(0, this.#options.peerMru() - 4))));
  }

  #startTimer(): void {
    this.#stopTimer();
    this.#timer = this.#options.clock.setTimeout(() => {
      this.#timer = undefined;
      this.#options.atomic(() => this.#happen(this.#restarts > 0 ? 'TO+' : 'TO-'));
    }, RESTART_MS);
  }

  #stopTimer(): void {
    this.#options.clock.clearTimeout(this.#timer);
    this.#timer = undefined;
  }

  #log(message: string): void {
    this.#options.log.debug(`${this.#options.name}: ${message}`);
  }
}

/** Where a request of ours awaits its answer, and where that or a termination does: where the restart timer runs. */
const answering: ReadonlySet<State> = new Set(['req-sent', 'ack-rcvd', 'ack-sent']);
const timed: ReadonlySet<State> = new Set([...answering, 'closing', 'stopping']);
