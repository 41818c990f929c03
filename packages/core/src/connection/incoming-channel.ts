import type { Channel } from './channel.ts';

/** Who connected on the far end, as the server tells it. */
export interface Originator {
  readonly address: string;
  readonly port: number;
}

/** Kinds of channels that a server may open towards us and that are not part of a remote forward. */
export type IncomingChannelType = 'auth-agent@openssh.com' | 'x11';

/** A channel that the far end wants to open (RFC 4254 §5.1): undecided until one of the two is called. */
export interface IncomingChannel {
  /** As on the wire: `forwarded-tcpip`, `forwarded-streamlocal@openssh.com`, `x11`, `auth-agent@openssh.com`. */
  readonly type: string;
  /** Undefined where the transport has not the capability `originator`, and for channels from a Unix socket. */
  readonly originator?: Originator | undefined;
  /** Confirms it. Where a program of ours stands between, it was confirmed before we heard of it. */
  accept(): Channel;
  /** Refuses it as `connect failed`, with a word for the server's log. Where it was confirmed already: closes it. */
  refuse(message?: string): void;
}

/**
 * Decides on one channel. What is undecided when it returns, or when its promise settles, is refused; so is the channel
 * of one that throws.
 */
export type IncomingChannelHandler = (incoming: IncomingChannel) => void | Promise<void>;
