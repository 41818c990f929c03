import { ViasshError } from '@viassh/core';
import type { Negotiation } from '../control/control-protocol.ts';
import { type ConfigOption, judgeOptions, type OptionVerdict, type Verdict } from '../control/options.ts';
import { isHostIpv4, parseIpv4, showIpv4 } from '../../address/ip-address.ts';
import type { PppOptions } from '../ppp-session.ts';

export const IPCP_PROTOCOL = 0x8021;

/** RFC 1332 §3, RFC 1877 §1. */
const Type = { address: 3, dns1: 129, dns2: 131 } as const;
const NONE = Buffer.alloc(4);
/** What the other side is called where neither it nor anybody else has an address for it: as pppd does. */
const NAMELESS = Buffer.from([10, 64, 64, 64]);
/** So often it may want us to have an address that is not the one we were told to have. */
const MAX_OTHER_ADDRESS = 3;

/** IPCP's options on both sides: addresses and name servers. Compression of headers is refused. */
export class IpcpNegotiation implements Negotiation {
  readonly optionNames: Readonly<Record<number, string>> = {
    1: 'addresses',
    2: 'compression',
    [Type.address]: 'address',
    [Type.dns1]: 'dns1',
    130: 'nbns1',
    [Type.dns2]: 'dns2',
    132: 'nbns2',
  };
  readonly #asked = new Map<number, Buffer>();
  readonly #log: PppOptions['log'];
  /** The one we must have, and the one that the other side must have. */
  readonly #fixed: Buffer | undefined;
  readonly #remote: Buffer | undefined;
  readonly #dns: readonly Buffer[];
  #peer: Buffer | undefined;
  #peerWithoutAddress = false;
  #otherAddress = 0;

  constructor(options: PppOptions) {
    this.#log = options.log;
    this.#fixed = options.localAddress === undefined ? undefined : parseIpv4(options.localAddress);
    this.#remote = options.remoteAddress === undefined ? undefined : parseIpv4(options.remoteAddress);
    this.#dns = (options.offerDns ?? []).flatMap((text) => parseIpv4(text) ?? []).slice(0, 2);
    this.#asked.set(Type.address, this.#fixed ?? NONE);
    if (options.askDns === true) for (const type of [Type.dns1, Type.dns2]) this.#asked.set(type, NONE);
  }

  /** Ours; undefined when nobody has one for us. */
  get local(): string | undefined {
    const address = this.#asked.get(Type.address) ?? this.#fixed;
    return address === undefined || address.equals(NONE) ? undefined : showIpv4(address);
  }

  get remote(): string | undefined {
    const address = this.#peer ?? this.#remote;
    return address === undefined ? undefined : showIpv4(address);
  }

  /** Name servers that the other side told. */
  get dns(): readonly string[] {
    const told = [Type.dns1, Type.dns2].flatMap((type) => this.#asked.get(type) ?? []);
    return [...new Set(told.filter(isHostIpv4).map(showIpv4))];
  }

  request(): readonly ConfigOption[] {
    return Array.from(this.#asked, ([type, data]) => ({ type, data }));
  }

  judge(options: readonly ConfigOption[]): Verdict {
    const address = options.some(({ type }) => type === Type.address);
    const missing = !address && !this.#peerWithoutAddress ? [{ type: Type.address, data: this.#remote ?? NONE }] : [];
    if (!address) this.#peerWithoutAddress = true;
    return judgeOptions(options, (option) => this.#judgeOne(option), missing);
  }

  agreed(options: readonly ConfigOption[]): void {
    const address = options.find(({ type }) => type === Type.address)?.data;
    this.#peer = address === undefined ? undefined : Buffer.from(address);
  }

  naked(options: readonly ConfigOption[]): ViasshError | undefined {
    for (const { type, data } of options) {
      if (!this.#asked.has(type) || data.length !== 4) continue;
      const error = type === Type.address ? this.#nakedAddress(data) : undefined;
      if (error !== undefined) return error;
      if (type !== Type.address || this.#fixed === undefined) this.#asked.set(type, Buffer.from(data));
    }
    return undefined;
  }

  rejected(options: readonly ConfigOption[]): ViasshError | undefined {
    for (const { type } of options) {
      this.#asked.delete(type);
      if (type === Type.address && this.#fixed === undefined) return noAddress('the far end gives no addresses');
    }
    return undefined;
  }

  #nakedAddress(data: Buffer): ViasshError | undefined {
    const fixed = this.#fixed;
    if (fixed !== undefined) {
      this.#otherAddress += 1;
      if (this.#otherAddress < MAX_OTHER_ADDRESS || data.equals(fixed)) return undefined;
      return noAddress(`the far end wants us to be ${showIpv4(data)}, and we were told to be ${showIpv4(fixed)}`);
    }
    if (data.equals(NONE)) return noAddress('the far end has no address for us');
    if (data.equals(this.#peer ?? this.#remote ?? NONE)) return noAddress('the far end gives us its own address');
    if (!isHostIpv4(data)) return noAddress(`the far end gives us ${showIpv4(data)}, which no host can have`);
    return undefined;
  }

  #judgeOne({ type, data }: ConfigOption): OptionVerdict {
    if (data.length !== 4) return 'reject';
    if (type === Type.address) return this.#judgeAddress(data);
    const dns = type === Type.dns1 ? this.#dns[0] : type === Type.dns2 ? this.#dns[1] : undefined;
    if (dns === undefined) return 'reject';
    return data.equals(dns) ? 'ack' : { type, data: dns };
  }

  #judgeAddress(data: Buffer): OptionVerdict {
    const type = Type.address;
    if (this.#remote !== undefined) return data.equals(this.#remote) ? 'ack' : { type, data: this.#remote };
    if (data.equals(NONE)) {
      this.#log.debug(`IPCP: nobody has an address for the far end, it becomes ${showIpv4(NAMELESS)}`);
      return { type, data: NAMELESS };
    }
    return isHostIpv4(data) && !data.equals(this.#asked.get(type) ?? NONE) ? 'ack' : 'reject';
  }
}

function noAddress(why: string): ViasshError {
  return new ViasshError('PPP_FAILED', why, { hint: 'name both addresses: --address OURS:THEIRS' });
}
