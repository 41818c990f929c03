import { type Channel, type Connection, openFarEnd, type Originator } from '@viassh/core';
import type { FarTarget } from '../spec/forward-spec.ts';

/** What {@link openTarget} takes of a connection. */
export type TargetOpener = Pick<Connection, 'openSession' | 'openDirectTcpip' | 'openDirectStreamlocal'>;

/**
 * Has the far end dial a target, and tells it for whom (RFC 4254 §7.2).
 *
 * @throws ViasshError CHANNEL_REFUSED, CONNECTION_LOST, CONNECTION_CLOSED, ABORTED
 */
export async function openTarget(
  connection: TargetOpener,
  target: FarTarget,
  { originator, signal }: { readonly originator?: Originator | undefined; readonly signal: AbortSignal },
): Promise<Channel> {
  if (target.kind === 'unix') return await openFarEnd(connection, target, { signal });
  const { host, port } = target;
  return await connection.openDirectTcpip(
    { host, port, originatorAddress: originator?.address, originatorPort: originator?.port },
    { signal },
  );
}
