import type { Negotiation } from '../control/control-protocol.ts';
import { type ConfigOption, judgeOptions, type OptionVerdict, type Verdict } from '../control/options.ts';
import { showIpv6 } from '../../address/ip-address.ts';

export const IPV6CP_PROTOCOL = 0x8057;

/** RFC 5072 §4.1. */
const INTERFACE_ID = 1;
const LENGTH = 8;
const NONE = Buffer.alloc(LENGTH);

/** IPV6CP's one option on both sides: the interface identifier. */
export class Ipv6cpNegotiation implements Negotiation {
  readonly optionNames: Readonly<Record<number, string>> = { [INTERFACE_ID]: 'ifid' };
  readonly #randomBytes: (length: number) => Buffer;
  #own: Buffer;
  #peer: Buffer | undefined;
  #rejected = false;

  constructor(randomBytes: (length: number) => Buffer) {
    this.#randomBytes = randomBytes;
    this.#own = this.#fresh();
  }

  get local(): string {
    return linkLocal(this.#own);
  }

  get remote(): string | undefined {
    return this.#peer === undefined ? undefined : linkLocal(this.#peer);
  }

  request(): readonly ConfigOption[] {
    return this.#rejected ? [] : [{ type: INTERFACE_ID, data: this.#own }];
  }

  judge(options: readonly ConfigOption[]): Verdict {
    return judgeOptions(options, (option) => this.#judgeOne(option));
  }

  agreed(options: readonly ConfigOption[]): void {
    const id = options.find(({ type }) => type === INTERFACE_ID)?.data;
    this.#peer = id === undefined ? undefined : Buffer.from(id);
  }

  naked(options: readonly ConfigOption[]): undefined {
    const id = options.find(({ type }) => type === INTERFACE_ID)?.data;
    const usable = id?.length === LENGTH && !id.equals(NONE) && !id.equals(this.#peer ?? NONE);
    if (id !== undefined) this.#own = usable ? Buffer.from(id) : this.#fresh();
  }

  rejected(): undefined {
    this.#rejected = true;
  }

  #judgeOne({ type, data }: ConfigOption): OptionVerdict {
    if (type !== INTERFACE_ID || data.length !== LENGTH) return 'reject';
    return data.equals(NONE) || data.equals(this.#own) ? { type, data: this.#fresh() } : 'ack';
  }

  /** Random, and not claimed to be unique in the world: its universal bit is off. */
  #fresh(): Buffer {
    const id = Buffer.from(this.#randomBytes(LENGTH));
    id[0] = id[0]! & ~2;
    id[LENGTH - 1] = id[LENGTH - 1]! | 1; // never nothing
    return id;
  }
}

function linkLocal(id: Uint8Array): string {
  return showIpv6(Buffer.concat([Buffer.from('fe80000000000000', 'hex'), id]));
}
