import type { Client } from 'ssh2';
import type { ConnectionWindows } from './channel/connection-windows.ts';
import type { Ssh2Channel } from './channel/ssh2-channel.ts';
import type { WireBacklog } from './wire/wire-backlog.ts';

/** What channels, forwards and requests need of the connection that they are on. */
export interface ChannelHost {
  readonly client: Client;
  readonly backlog: WireBacklog;
  readonly windows: ConnectionWindows;
  /** Aborted when the connection ends, or is to end; the reason is the error. */
  readonly ended: AbortSignal;
  /** Told of each channel as it opens. */
  readonly onOpen: (channel: Ssh2Channel) => void;
}
