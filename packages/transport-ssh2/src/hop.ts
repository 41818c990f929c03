import type { ConnectionInfo, HopInfo, ResolvedDestination, ViasshError } from '@viassh/core';
import type { Client } from 'ssh2';
import type { Wire } from './wire/wire.ts';

/** One authenticated ssh server on the way. */
export interface Hop {
  readonly client: Client;
  readonly resolved: ResolvedDestination;
  readonly wire: Wire;
  readonly info: HopInfo;
  /** Called once when the hop ends without {@link close}. */
  onLost(listener: (error: ViasshError) => void): void;
  /** Says goodbye and resolves when the wire is gone. Never rejects. */
  close(): Promise<void>;
}

/** What a connection over these hops tells of itself, live. */
export function connectionInfo(hops: readonly HopInfo[]): ConnectionInfo {
  const last = hops[hops.length - 1] as HopInfo;
  return Object.defineProperty({ ...last, hops }, 'state', { get: () => last.state, enumerable: true });
}

/** `user@host:port`, as dialled. */
export function peerOf({ user, hostName, port }: Pick<ResolvedDestination, 'user' | 'hostName' | 'port'>): string {
  return `${user}@${hostName.includes(':') ? `[${hostName}]` : hostName}:${port}`;
}
