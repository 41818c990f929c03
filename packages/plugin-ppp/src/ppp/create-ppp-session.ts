import { type ClockTimer, ViasshError } from '@viassh/core';
import type { CarrierCounters, LinkTerms } from '../carrier/packet-carrier.ts';
import { createDeframer } from '../framing/deframer.ts';
import { createFramer } from '../framing/framer.ts';
import { IPV4_PROTOCOL, IPV6_PROTOCOL, LCP_PROTOCOL, plainForm } from '../framing/framing.ts';
import { createAuthentication } from './auth/authentication.ts';
import { checkCredentials } from './auth/check-credentials.ts';
import { Code, parseControlPacket } from './control/control-packet.ts';
import { createFloodGate } from './control/flood-gate.ts';
import { Lcp } from './lcp/lcp.ts';
import { DEFAULT_MRU } from './lcp/lcp-negotiation.ts';
import { createNetworkLayer } from './network/network-layer.ts';
import type { PppOptions, PppSession } from './ppp-session.ts';
import { createTurns } from './turns.ts';

/** Control packets that the other side may send at once, and a second after that: one that negotiates is done with ten. */
const CONTROL_AT_ONCE = 100;
const CONTROL_PER_SECOND = 10;
/** Milliseconds that an answer is waited for which shows that the other side has set up its own end. */
const BARRIER_MS = 200;

/**
 * One session over a byte stream. It begins with `open()`, and is over for good when `closed` has settled.
 *
 * @throws ViasshError OPTION_INVALID for credentials that PPP cannot say
 */
export function createPppSession(options: PppOptions): PppSession {
  if (options.credentials !== undefined) checkCredentials(options.credentials);
  const { clock, log } = options;
  const framer = createFramer();
  const deframer = createDeframer({ mru: Math.max(DEFAULT_MRU, options.mru), onFrame });
  const turns = createTurns(options.output, (bytes) => {
    deframer.receive(bytes);
    deliver();
  });
  const gate = createFloodGate(clock, CONTROL_AT_ONCE, CONTROL_PER_SECOND);
  const terms = Promise.withResolvers<LinkTerms>();
  const end = Promise.withResolvers<void>();
  terms.promise.catch(() => undefined);
  end.promise.catch(() => undefined);
  const count = { sent: 0, received: 0, droppedOut: 0, droppedIn: 0 };

  let arrived: Buffer[] = [];
  let over = false;
  let closing = false;
  let authenticated = false;
  let failure: ViasshError | undefined;
  let agreement: LinkTerms | undefined;
  let barrier: ClockTimer | undefined;
  let greeted = false;

  const send = (protocol: number, packet: Buffer): void => turns.send(framer.encode(protocol, packet));
  const parts = { session: options, send, atomic: (step: () => void): void => turns.step(step) };
  const lcp = new Lcp({
    ...parts,
    up() {
      const { form, auth } = lcp.negotiation.peer;
      framer.form = form;
      deframer.accm = lcp.negotiation.accm;
      authentication.start(auth);
    },
    down() {
      framer.form = plainForm;
      authenticated = false;
      clock.clearTimeout(barrier);
      authentication.stop();
      network.lowerDown();
    },
    finished: (error) => finish(failure ?? error),
    failing(error) {
      failure ??= error;
      closing = true;
      terms.reject(refusal() ?? failure);
    },
    broken,
    protocolRejected(protocol) {
      if (protocol === LCP_PROTOCOL) lcp.control.protocolRejected();
      else if (authentication.knows(protocol)) {
        fail(
          new ViasshError('PPP_AUTH_FAILED', 'the far end does not know the way of authentication that it agreed to'),
        );
      } else network.protocolRejected(protocol);
    },
  });
  const authentication = createAuthentication({
    ...parts,
    failed: fail,
    done() {
      authenticated = true;
      network.lowerUp();
    },
  });
  const network = createNetworkLayer({
    ...parts,
    peerMru: () => lcp.negotiation.peer.mru,
    settled,
    failed: (error) => (error === undefined ? lcp.control.close() : fail(error)),
  });

  function onFrame(protocol: number, payload: Buffer): void {
    if (over) return;
    lcp.alive();
    if (!greeted) greet();
    if (protocol === IPV4_PROTOCOL || protocol === IPV6_PROTOCOL) return takePacket(payload);
    const packet = parseControlPacket(payload);
    const negotiates = protocol === LCP_PROTOCOL || network.knows(protocol);
    const known = negotiates || authentication.knows(protocol);
    if (!gate.pass()) {
      count.droppedIn += 1;
      if (negotiates && packet?.code === Code.configureRequest) {
        fail(new ViasshError('PPP_FAILED', 'the far end negotiates without an end'));
      }
    } else if (known && packet === undefined) count.droppedIn += 1;
    else if (protocol === LCP_PROTOCOL) lcp.receive(packet!);
    else if (!lcp.control.opened) count.droppedIn += 1;
    else if (authentication.knows(protocol)) authentication.receive(protocol, packet!);
    else if (!authenticated) count.droppedIn += 1;
    else if (known) network.receive(protocol, packet!);
    else lcp.rejectProtocol(protocol, payload);
  }

  function takePacket(packet: Buffer): void {
    if (authenticated && network.accepts(packet)) arrived.push(packet);
    else count.droppedIn += 1;
  }

  function deliver(): void {
    if (arrived.length === 0) return;
    const packets = arrived;
    arrived = [];
    count.received += packets.length;
    options.onPackets(packets);
  }

  function greet(): void {
    greeted = true;
    const noise = deframer.noise.text.trim();
    if (noise !== '') log.debug(`PPP: before the first frame the far end said: ${JSON.stringify(noise)}`);
  }

  function settled(): void {
    const { addresses, dns } = network;
    const now: LinkTerms = { mtu: Math.min(options.mru, lcp.negotiation.peer.mru), addresses, dns };
    if (agreement !== undefined) {
      if (JSON.stringify(now) !== JSON.stringify(agreement)) {
        fail(new ViasshError('PPP_FAILED', 'the far end negotiated anew, and came to something else'));
      }
      return;
    }
    const resolve = (): void => {
      clock.clearTimeout(barrier);
      if (over || closing || agreement !== undefined) return;
      agreement = now;
      log.debug(
        `PPP: agreed: mtu ${now.mtu}, ${addresses.map(({ local, remote }) => `${local} to ${remote}`).join(', ')}`,
      );
      terms.resolve(now);
    };
    clock.clearTimeout(barrier);
    barrier = clock.setTimeout(resolve, BARRIER_MS);
    lcp.roundTrip(resolve);
  }

  /** Says goodbye, with the reason. */
  function fail(error: ViasshError): void {
    if (!over) lcp.control.fail(error, error.code === 'PPP_AUTH_FAILED' ? 'Authentication failed' : '');
  }

  /** There is nobody to say goodbye to. */
  function broken(error: ViasshError): void {
    failure ??= error;
    finish(failure);
  }

  function finish(error: ViasshError | undefined): void {
    if (over) return;
    over = true;
    clock.clearTimeout(barrier);
    lcp.control.lowerDown();
    lcp.stop();
    authentication.stop();
    network.lowerDown();
    const reason = agreement === undefined ? (refusal() ?? error ?? gaveUp()) : error;
    if (reason === undefined) return end.resolve();
    const shown = withNoise(reason);
    terms.reject(shown);
    if (closing && failure === undefined) end.resolve();
    else end.reject(shown);
  }

  /** It ended in good order, and too early. */
  function gaveUp(): ViasshError {
    if (closing) return new ViasshError('ABORTED', 'the link was closed before it was up');
    return new ViasshError('PPP_FAILED', `the far end ended the link before it was up${farewell()}`);
  }

  /** The other side wanted a proof that we do not have: whatever else it says, that is why. */
  function refusal(): ViasshError | undefined {
    if (!lcp.negotiation.refusedAuth || (failure !== undefined && failure.code !== 'PPP_FAILED')) return undefined;
    return new ViasshError('PPP_AUTH_FAILED', `the far end wants a name and a secret, and we have none${farewell()}`, {
      hint: 'give them with --name and --secret-file',
    });
  }

  function farewell(): string {
    const said = lcp.control.farewell;
    return said === '' ? '' : `: ${said}`;
  }

  function withNoise(error: ViasshError): ViasshError {
    const noise = deframer.noise.text.trim();
    if (error.code !== 'PPP_SILENT' || noise === '' || agreement !== undefined) return error;
    const { message, hint, cause } = error;
    return new ViasshError('PPP_SILENT', `${message}; what it said instead: ${noise.slice(0, 300)}`, { hint, cause });
  }

  return {
    agreed: terms.promise,
    closed: end.promise,
    get counters(): CarrierCounters {
      const { damaged, aborted, tooLong, malformed } = deframer.counters;
      return { ...count, droppedIn: count.droppedIn + damaged + aborted + tooLong + malformed };
    },
    get noise() {
      return deframer.noise.text;
    },
    open() {
      if (over) return;
      turns.step(() => {
        lcp.control.open();
        lcp.control.lowerUp();
      });
    },
    receive(bytes) {
      if (!over) turns.receive(bytes);
    },
    lowerDown(reason) {
      if (over) return;
      const goodbye = closing || lcp.control.state === 'stopping';
      finish(failure ?? (goodbye ? undefined : (reason ?? streamEnded())));
    },
    send(packets) {
      const going = over ? [] : packets.filter(mayGo);
      count.sent += going.length;
      count.droppedOut += packets.length - going.length;
      if (going.length > 0) turns.send(framer.encodePackets(going));
      return going.length;
    },
    async close(reason) {
      closing = true;
      if (!over) turns.step(() => lcp.control.close(reason));
      if (!over && (lcp.control.state === 'initial' || lcp.control.state === 'closed')) finish(undefined);
      await end.promise.catch(() => undefined);
    },
  };

  function streamEnded(): ViasshError {
    return new ViasshError(
      'PPP_SILENT',
      `the stream to the far end ended ${agreement === undefined ? 'before the link was up' : 'under the link'}`,
    );
  }

  function mayGo(packet: Buffer): boolean {
    const family = packet.length === 0 ? 0 : packet[0]! >>> 4;
    return authenticated && packet.length <= lcp.negotiation.peer.mru && network.isOpen(family);
  }
}
