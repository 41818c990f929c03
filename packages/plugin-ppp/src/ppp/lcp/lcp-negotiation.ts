import { ViasshError } from '@viassh/core';
import { ACCM_ALL, type FrameForm } from '../../framing/framing.ts';
import type { Negotiation } from '../control/control-protocol.ts';
import { type ConfigOption, judgeOptions, numberOption, type OptionVerdict, type Verdict } from '../control/options.ts';
import type { PppOptions } from '../ppp-session.ts';

/** How a side can be made to prove who it is. */
export type AuthProtocol = 'pap' | 'chap-md5';

/** RFC 1661 §6, RFC 1662 §7.1. */
const Type = { mru: 1, accm: 2, auth: 3, magic: 5, pfc: 7, acfc: 8 } as const;

/** The value of the option: protocol, and for CHAP the algorithm (RFC 1334 §2.1, RFC 1994 §3). */
const authValues: Readonly<Record<AuthProtocol, Buffer>> = {
  pap: Buffer.from([0xc0, 0x23]),
  'chap-md5': Buffer.from([0xc2, 0x23, 5]),
};

/** MRU where nobody says one (RFC 1661 §6.1), and the smallest that is taken, bytes. */
export const DEFAULT_MRU = 1500;
const SMALLEST_MRU = 128;
/** So often in a row our own magic number has to come back until it is no chance. */
const LOOPED = 4;

/** What the other side has asked for, and we have acknowledged. */
export interface PeerWishes {
  readonly mru: number;
  readonly form: FrameForm;
  readonly magic: number;
  /** How we have to prove who we are. */
  readonly auth: AuthProtocol | undefined;
}

const noWishes: PeerWishes = {
  mru: DEFAULT_MRU,
  form: { accm: ACCM_ALL, pfc: false, acfc: false },
  magic: 0,
  auth: undefined,
};

/** LCP's options on both sides. */
export class LcpNegotiation implements Negotiation {
  readonly optionNames: Readonly<Record<number, string>> = {
    ...Object.fromEntries(Object.entries(Type).map(([name, type]) => [type, name])),
    4: 'quality',
  };
  readonly #options: PppOptions;
  readonly #asked = new Map<number, ConfigOption>();
  #peer: PeerWishes = noWishes;
  #magic = 0;
  #looped = 0;
  /** The other side wanted a proof, and we have refused. */
  refusedAuth = false;

  constructor(options: PppOptions) {
    this.#options = options;
    if (options.mru !== DEFAULT_MRU) this.#ask(numberOption(Type.mru, options.mru, 2));
    if (this.accm !== ACCM_ALL) this.#ask(numberOption(Type.accm, this.accm, 4));
    if (options.demand !== undefined) this.#ask({ type: Type.auth, data: authValues[options.demand.protocol] });
    this.#newMagic();
    this.#ask({ type: Type.pfc, data: Buffer.alloc(0) });
    this.#ask({ type: Type.acfc, data: Buffer.alloc(0) });
  }

  /** Ours; 0 when the other side rejects magic numbers. */
  get magic(): number {
    return this.#magic;
  }

  /** The control characters that the other side has to escape. */
  get accm(): number {
    const asked = this.#asked.get(Type.accm);
    return asked === undefined ? (this.#options.accm ?? 0) : asked.data.readUInt32BE(0);
  }

  get peer(): PeerWishes {
    return this.#peer;
  }

  /** True when what comes is what we send. */
  get looped(): boolean {
    return this.#looped >= LOOPED;
  }

  /** One that has our own magic number came. */
  sawOwnMagic(): void {
    this.#looped += 1;
  }

  request(): readonly ConfigOption[] {
    return [...this.#asked.values()].toSorted((a, b) => a.type - b.type);
  }

  judge(options: readonly ConfigOption[]): Verdict {
    return judgeOptions(options, (option) => this.#judgeOne(option));
  }

  agreed(options: readonly ConfigOption[]): void {
    const value = (type: number): Buffer | undefined => options.find((option) => option.type === type)?.data;
    const auth = value(Type.auth);
    this.#peer = {
      mru: value(Type.mru)?.readUInt16BE(0) ?? noWishes.mru,
      form: {
        accm: value(Type.accm)?.readUInt32BE(0) ?? noWishes.form.accm,
        pfc: value(Type.pfc) !== undefined,
        acfc: value(Type.acfc) !== undefined,
      },
      magic: value(Type.magic)?.readUInt32BE(0) ?? 0,
      auth: auth === undefined ? undefined : auth.equals(authValues.pap) ? 'pap' : 'chap-md5',
    };
    this.#looped = 0;
  }

  naked(options: readonly ConfigOption[]): ViasshError | undefined {
    for (const { type, data } of options) {
      if (!this.#asked.has(type)) continue; // a hint at what we do not need
      if (type === Type.auth) return noProof('it would prove it in another way only');
      if (type === Type.mru && data.length === 2) this.#nakedMru(data.readUInt16BE(0));
      else if (type === Type.accm && data.length === 4) this.#ask(numberOption(type, or(this.accm, data), 4));
      else if (type === Type.magic) this.#newMagic();
      else this.#asked.delete(type);
    }
    return undefined;
  }

  rejected(options: readonly ConfigOption[]): ViasshError | undefined {
    for (const { type } of options) {
      if (type === Type.auth) return noProof('it does not want to');
      if (type === Type.magic) this.#magic = 0;
      this.#asked.delete(type);
    }
    return undefined;
  }

  #judgeOne(option: ConfigOption): OptionVerdict {
    const { type, data } = option;
    if (type === Type.auth) return this.#judgeAuth(data);
    if (data.length !== lengths.get(type)) return 'reject';
    if (type === Type.mru && data.readUInt16BE(0) < SMALLEST_MRU) return numberOption(type, DEFAULT_MRU, 2);
    if (type === Type.magic) {
      const magic = data.readUInt32BE(0);
      if (magic !== 0 && magic === this.#magic) this.sawOwnMagic();
      else if (magic !== 0) return 'ack';
      return { type, data: this.#options.randomBytes(4) };
    }
    return 'ack';
  }

  #judgeAuth(data: Buffer): OptionVerdict {
    const known = Object.values(authValues).some((value) => value.equals(data));
    if (this.#options.credentials === undefined) {
      this.refusedAuth = true;
      return 'reject';
    }
    return known ? 'ack' : { type: Type.auth, data: authValues['chap-md5'] };
  }

  #nakedMru(mru: number): void {
    if (mru >= SMALLEST_MRU && mru < this.#options.mru) this.#ask(numberOption(Type.mru, mru, 2));
  }

  #newMagic(): void {
    this.#magic = this.#options.randomBytes(4).readUInt32BE(0) || 1;
    this.#ask(numberOption(Type.magic, this.#magic, 4));
  }

  #ask(option: ConfigOption): void {
    this.#asked.set(option.type, option);
  }
}

/** Bytes of the value, where it is always the same number. */
const lengths: ReadonlyMap<number, number> = new Map([
  [Type.mru, 2],
  [Type.accm, 4],
  [Type.magic, 4],
  [Type.pfc, 0],
  [Type.acfc, 0],
]);

function or(accm: number, data: Buffer): number {
  return (accm | data.readUInt32BE(0)) >>> 0;
}

function noProof(why: string): ViasshError {
  return new ViasshError('PPP_AUTH_FAILED', `the far end does not prove who it is: ${why}`);
}
