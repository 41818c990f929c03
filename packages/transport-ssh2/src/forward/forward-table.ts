import type { IncomingChannelHandler, RemoteAddress } from '@viassh/core';
import type { RawServerOpening } from '../ssh2-private/server-opening.ts';

/** One remote forward that stands. */
export interface StandingForward {
  readonly address: RemoteAddress;
  readonly handler: IncomingChannelHandler;
}

/** Addresses that servers may name instead of the one that they were asked for. */
const sameAs: Readonly<Record<string, string>> = {
  '127.0.0.1': 'localhost',
  '::1': 'localhost',
  '0.0.0.0': '',
  '::': '',
};

/** The remote forwards of a connection, and which of them a channel came through. */
export class ForwardTable {
  readonly #forwards = new Set<StandingForward>();

  /** What it returns takes it away again. */
  add(forward: StandingForward): () => void {
    this.#forwards.add(forward);
    return () => void this.#forwards.delete(forward);
  }

  /** Is it a channel of a remote forward? */
  knows(type: string): boolean {
    return type === 'forwarded-tcpip' || type === 'forwarded-streamlocal@openssh.com';
  }

  /**
   * RFC 4254 §7.2: the channel names the address and port that were connected. OpenSSH echoes what it was asked for;
   * other servers name the address that they bound. Where the port has one forward only, the address does not matter.
   */
  handlerFor({ type, fields }: RawServerOpening): IncomingChannelHandler | undefined {
    if (type === 'forwarded-streamlocal@openssh.com') {
      return this.#find(({ address }) => address.kind === 'streamlocal' && address.path === fields.socketPath);
    }
    if (type !== 'forwarded-tcpip') return undefined;
    const named = fields.destIP ?? '';
    const here = [...this.#forwards].filter(
      ({ address }) => address.kind === 'tcpip' && address.port === fields.destPort,
    );
    const by = (test: (bound: string) => boolean): StandingForward | undefined =>
      here.find(({ address }) => address.kind === 'tcpip' && test(address.bindAddress));
    const match = by((bound) => bound === named) ?? by((bound) => bound === (sameAs[named] ?? named));
    return (match ?? (here.length === 1 ? here[0] : undefined))?.handler;
  }

  #find(test: (forward: StandingForward) => boolean): IncomingChannelHandler | undefined {
    return [...this.#forwards].find(test)?.handler;
  }
}
