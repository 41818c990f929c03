/** What stands behind one id of a lease, on the side of the broker. */
export interface ServedId {
  /** @throws ViasshError PROTOCOL_ERROR for a frame that it cannot have */
  frame(kind: number, body: Buffer): void;
  /** The client wants no more of it, or is gone; nothing is sent under this id any more. */
  end(): void;
}
