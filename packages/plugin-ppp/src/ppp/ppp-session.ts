import type { Clock, Logger, ViasshError } from '@viassh/core';
import type { CarrierCounters, LinkTerms } from '../carrier/packet-carrier.ts';

/** How a side proves who it is, RFC 1334 and RFC 1994. Each 255 bytes at the most, as UTF-8. */
export interface PppCredentials {
  readonly name: string;
  readonly secret: string;
}

/** What a PPP session is made with. Client and server differ by who asks for a proof and who gives addresses. */
export interface PppOptions {
  readonly clock: Clock;
  /** Magic numbers, challenges, interface identifiers. */
  readonly randomBytes: (length: number) => Buffer;
  readonly log: Logger;
  /** Frames for the wire, ready: flags, escapes and FCS done (RFC 1662). The buffer is the receiver's own. */
  readonly output: (bytes: Buffer) => void;
  /** IP packets that came, bare, in a network phase that is open. */
  readonly onPackets: (packets: readonly Buffer[]) => void;
  /** What we answer when the other side wants a proof; undefined: none, and the demand is refused. */
  readonly credentials?: PppCredentials | undefined;
  /** What we demand of the other side; undefined: nothing. */
  readonly demand?:
    | {
        readonly protocol: 'pap' | 'chap-md5';
        /** The secret of a name; undefined: nobody of that name. */
        readonly secretOf: (name: string) => string | undefined;
        /** Our own name in a challenge. */
        readonly name: string;
      }
    | undefined;
  /** Ours; undefined: ask the other side. */
  readonly localAddress?: string | undefined;
  /** The other side's; undefined: what it says. */
  readonly remoteAddress?: string | undefined;
  /** Name servers that we tell; none: refused when asked. */
  readonly offerDns?: readonly string[] | undefined;
  /**
   * Networks (CIDR) that packets may come from, beside the other side's own address; none: `[]`. Undefined: from anywhere,
   * as long as they are for our address.
   */
  readonly acceptFrom?: readonly string[] | undefined;
  /** Ask for name servers (RFC 1877). */
  readonly askDns?: boolean | undefined;
  readonly ipv6?: boolean | undefined;
  /** MRU that we ask for and the largest that we send, bytes. */
  readonly mru: number;
  /** Control characters that must be escaped towards us: 0 for a clean pipe; 0xffffffff until LCP has agreed anyway. */
  readonly accm?: number | undefined;
  /** Milliseconds between LCP Echo-Requests, 0: none; this many unanswered end the session. */
  readonly echoIntervalMs?: number | undefined;
  readonly echoFailures?: number | undefined;
}

/** One PPP session (RFC 1661) over any byte stream: pure, no I/O of its own. */
export interface PppSession {
  /** The lower layer is up: begins to negotiate. */
  open(): void;
  /** Bytes from the wire, as they come. Never throws. */
  receive(bytes: Buffer): void;
  /** The lower layer is gone: everything ends at once, without Terminate. `reason`: what ended it, if that is known. */
  lowerDown(reason?: ViasshError): void;
  /** Packets for the far end, bare IP; those of a family that is not open are dropped. Gives the number that went. */
  send(packets: readonly Buffer[]): number;
  /** Resolves when the network phase is open; rejects with the ViasshError that ended it. */
  readonly agreed: Promise<LinkTerms>;
  /** Resolves when it ended in good order, by either side; rejects with a ViasshError else. */
  readonly closed: Promise<void>;
  readonly counters: CarrierCounters;
  /** What came before the first good frame, at the most 4 KiB: a program's complaint. As it came. */
  readonly noise: string;
  /** Terminate-Request, and its answer or its timeout. */
  close(reason?: string): Promise<void>;
}
