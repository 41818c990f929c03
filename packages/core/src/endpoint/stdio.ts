import type { Readable, Writable } from 'node:stream';

/** The near end of a filter: the standard streams that some program gave us. `output` belongs to the protocol. */
export interface StdioEnd {
  readonly input: Readable;
  readonly output: Writable;
  readonly error: Writable;
}
