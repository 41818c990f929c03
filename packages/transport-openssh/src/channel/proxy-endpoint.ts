import type { PacketLink } from '../mux/packet-link.ts';
import type { WireReader } from '../mux/wire.ts';
import type { SendWindow } from './window.ts';

/** What a channel is made from once the server confirmed it. */
export interface ChannelInit {
  /** Our number for it. */
  readonly id: number;
  readonly type: string;
  readonly link: PacketLink;
  /** The peer's number for it. */
  readonly remoteId: number;
  readonly sendWindow: SendWindow;
  /** Called once, when the channel is of no more use: closed by the far end, destroyed here, or lost. */
  readonly onGone: () => void;
}

/** Our end of a channel, whatever it carries. */
export interface ProxyEndpoint {
  readonly destroyed: boolean;
  /** One message for this channel; `fields` stands behind the recipient's number. @throws RangeError when malformed */
  receive(type: number, fields: WireReader): void;
  /** The connection under it is gone: nothing more comes, nothing more goes. */
  abandon(reason: Error | undefined): void;
  /** Closes it at once. */
  destroy(): void;
}
