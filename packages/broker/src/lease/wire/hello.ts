import type { Capability, ConnectionInfo } from '@viassh/core';

/** The first word of the broker. The client's has the version alone. */
export interface LeaseHello {
  readonly version: number;
  readonly transport: string;
  readonly capabilities: readonly Capability[];
  /** As it was when the lease began. */
  readonly info: ConnectionInfo;
}
