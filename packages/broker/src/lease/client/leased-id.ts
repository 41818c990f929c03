import type { ViasshError } from '@viassh/core';

/** What stands behind one id of a lease, on the side of the client. */
export interface LeasedId {
  /** @throws ViasshError PROTOCOL_ERROR for a frame that it cannot have */
  frame(kind: number, body: Buffer): void;
  /** The broker says that the connection is lost; what is still to be read comes behind. */
  lost(error: ViasshError): void;
  /** Nothing comes any more: with an error the lease was lost, without one we closed it. */
  ended(error: ViasshError | undefined): void;
}
