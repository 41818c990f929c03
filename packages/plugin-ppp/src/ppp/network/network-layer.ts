import { type ClockTimer, ViasshError } from '@viassh/core';
import type { LinkAddress } from '../../carrier/packet-carrier.ts';
import type { ControlPacket } from '../control/control-packet.ts';
import { ControlProtocol, type Negotiation } from '../control/control-protocol.ts';
import type { PppOptions } from '../ppp-session.ts';
import { IPCP_PROTOCOL, IpcpNegotiation } from './ipcp-negotiation.ts';
import { IPV6CP_PROTOCOL, Ipv6cpNegotiation } from './ipv6cp-negotiation.ts';
import { createPacketFilter, type PacketFilter } from '../../address/packet-filter.ts';

/** What {@link createNetworkLayer} is made with. */
export interface NetworkLayerOptions {
  readonly session: PppOptions;
  readonly send: (protocol: number, packet: Buffer) => void;
  readonly atomic: (step: () => void) => void;
  readonly peerMru: () => number;
  /** Each family is open, or known not to come; at least one is open. Again after each time that one was negotiated anew. */
  readonly settled: () => void;
  /** No family is open, nor will be. Without an error: they were closed. */
  readonly failed: (error?: ViasshError) => void;
}

/** IPv4 and IPv6 over the link: their control protocols, what they have agreed on, and which packets that lets in. */
export interface NetworkLayer {
  lowerUp(): void;
  lowerDown(): void;
  /** Is it a protocol of this layer? */
  knows(protocol: number): boolean;
  receive(protocol: number, packet: ControlPacket): void;
  protocolRejected(protocol: number): void;
  /** May packets of this family (4, 6) go? */
  isOpen(family: number): boolean;
  readonly accepts: PacketFilter;
  readonly addresses: readonly LinkAddress[];
  readonly dns: readonly string[];
}

interface Family {
  readonly family: 4 | 6;
  readonly protocol: number;
  readonly control: ControlProtocol;
  readonly address: () => LinkAddress | undefined;
  gone: boolean;
}

/** Milliseconds that a link with IPv4 waits for IPv6, of which many a peer says nothing. */
const IPV6_GRACE_MS = 2000;

export function createNetworkLayer(options: NetworkLayerOptions): NetworkLayer {
  const { session, settled, failed } = options;
  const { clock, log } = session;
  const ipcp = new IpcpNegotiation(session);
  const ipv6cp = new Ipv6cpNegotiation(session.randomBytes);
  let firstError: ViasshError | undefined;
  let grace: ClockTimer | undefined;
  let addresses: readonly LinkAddress[] = [];
  let accepts = nothing;

  const ipv4 = make(4, 'IPCP', IPCP_PROTOCOL, ipcp, () => pair(ipcp.local, ipcp.remote, 32));
  const families = [ipv4];
  if (session.ipv6 === true) {
    families.push(make(6, 'IPV6CP', IPV6CP_PROTOCOL, ipv6cp, () => pair(ipv6cp.local, ipv6cp.remote, 128)));
  }

  function make(
    family: 4 | 6,
    name: string,
    protocol: number,
    negotiation: Negotiation,
    address: () => LinkAddress | undefined,
  ): Family {
    const control = new ControlProtocol({
      name,
      clock,
      log,
      negotiation,
      atomic: options.atomic,
      peerMru: options.peerMru,
      send: (packet) => options.send(protocol, packet),
      up() {
        if (address() === undefined) control.fail(new ViasshError('PPP_FAILED', 'neither side has an address for us'));
        else changed();
      },
      down: update,
      finished(error) {
        firstError ??= error;
        own.gone = true;
        changed();
      },
    });
    const own: Family = { family, protocol, control, address, gone: false };
    control.open();
    return own;
  }

  function familyOf(protocol: number): Family | undefined {
    return families.find((family) => family.protocol === protocol && !family.gone);
  }

  function update(): void {
    addresses = families.filter(({ control }) => control.opened).flatMap(({ address }) => address() ?? []);
    accepts = createPacketFilter(addresses, session.acceptFrom);
  }

  function changed(): void {
    update();
    const open = families.filter(({ control }) => control.opened);
    const waiting = families.filter(({ control, gone }) => !gone && !control.opened);
    clock.clearTimeout(grace);
    grace = undefined;
    // One that did not come about says more than that the other one did.
    if (ipv4.gone && firstError !== undefined && !ipv4.control.unknownThere) return failed(firstError);
    if (waiting.length === 0) return open.length > 0 ? settled() : failed(firstError);
    if (!ipv4.control.opened) return;
    grace = clock.setTimeout(() => {
      for (const family of waiting) {
        family.gone = true;
        family.control.lowerDown();
      }
      log.debug('PPP: the far end does not speak of IPv6');
      options.atomic(settled);
    }, IPV6_GRACE_MS);
  }

  return {
    lowerUp() {
      for (const { control } of families) control.lowerUp();
    },
    lowerDown() {
      clock.clearTimeout(grace);
      for (const { control } of families) control.lowerDown();
      update();
    },
    knows: (protocol) => familyOf(protocol) !== undefined,
    receive: (protocol, packet) => familyOf(protocol)?.control.receive(packet),
    protocolRejected: (protocol) => familyOf(protocol)?.control.protocolRejected(),
    isOpen: (family) => families.some((one) => one.family === family && !one.gone && one.control.opened),
    get accepts() {
      return accepts;
    },
    get addresses() {
      return addresses;
    },
    get dns() {
      return ipcp.dns;
    },
  };
}

const nothing: PacketFilter = () => false;

function pair(local: string | undefined, remote: string | undefined, prefix: number): LinkAddress | undefined {
  return local === undefined ? undefined : { local, remote, prefix };
}
