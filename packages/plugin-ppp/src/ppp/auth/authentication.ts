import type { ViasshError } from '@viassh/core';
import type { ControlPacket } from '../control/control-packet.ts';
import type { AuthProtocol } from '../lcp/lcp-negotiation.ts';
import type { PppOptions } from '../ppp-session.ts';
import { CHAP_PROTOCOL, demandChap, proveByChap } from './chap.ts';
import { demandPap, PAP_PROTOCOL, proveByPap } from './pap.ts';
import type { Proof, ProofOptions } from './proof.ts';

/** What {@link createAuthentication} is made with. */
export interface AuthenticationOptions {
  readonly session: PppOptions;
  readonly send: (protocol: number, packet: Buffer) => void;
  readonly atomic: (step: () => void) => void;
  /** Both sides have proven what the other one demanded; once for each start. */
  readonly done: () => void;
  readonly failed: (error: ViasshError) => void;
}

/** The phase between LCP and the network: each side may demand a proof of the other (RFC 1661 §3.5). */
export interface Authentication {
  /** `wanted` is what the other side demands of us. */
  start(wanted: AuthProtocol | undefined): void;
  stop(): void;
  /** Is it a protocol of this phase? */
  knows(protocol: number): boolean;
  receive(protocol: number, packet: ControlPacket): void;
}

const numbers: Readonly<Record<AuthProtocol, number>> = { pap: PAP_PROTOCOL, 'chap-md5': CHAP_PROTOCOL };

export function createAuthentication({ session, send, atomic, done, failed }: AuthenticationOptions): Authentication {
  const { clock, credentials, demand, randomBytes } = session;
  /** Those that have not been given yet. */
  const open = new Set<Proof>();
  let running: { readonly protocol: number; readonly proof: Proof }[] = [];
  const options = (protocol: number, self: () => Proof): ProofOptions => ({
    clock,
    atomic,
    send: (packet) => send(protocol, packet),
    failed,
    proven() {
      if (open.delete(self()) && open.size === 0) done();
    },
  });
  const add = (protocol: number, make: (options: ProofOptions) => Proof): void => {
    const proof: Proof = make(options(protocol, () => proof));
    running.push({ protocol, proof });
    open.add(proof);
  };
  const stop = (): void => {
    for (const { proof } of running) proof.stop();
    running = [];
    open.clear();
  };
  return {
    start(wanted) {
      stop();
      let isOurs = nothing;
      if (demand?.protocol === 'pap') add(PAP_PROTOCOL, (options) => demandPap(demand.secretOf, options));
      else if (demand !== undefined) {
        add(CHAP_PROTOCOL, (options) => {
          const proof = demandChap(demand, randomBytes, options);
          isOurs = (challenge) => proof.isOurs(challenge);
          return proof;
        });
      }
      if (wanted !== undefined && credentials !== undefined) {
        add(numbers[wanted], (options) =>
          wanted === 'pap' ? proveByPap(credentials, options) : proveByChap(credentials, isOurs, options),
        );
      }
      if (open.size === 0) done();
      else for (const { proof } of running.slice()) proof.start();
    },
    stop,
    knows: (protocol) => protocol === PAP_PROTOCOL || protocol === CHAP_PROTOCOL,
    receive(protocol, packet) {
      for (const { proof, protocol: own } of running.slice()) if (own === protocol) proof.receive(packet);
    },
  };
}

/** No challenge is ours: we send none. */
const nothing = (_challenge: Uint8Array): boolean => false;
