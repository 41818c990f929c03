import type { Connection } from '@viassh/core';
import type { Test } from 'tap';
import type { Sshd, SshdOptions } from '../sshd/sshd.ts';
import type { WireConditions } from './wire-conditions.ts';
import type { FaultyRelay } from './start-faulty-relay.ts';

/** What a fault case has at hand. All that it gets from here goes with the case, before leaks are counted. */
export interface FaultBench {
  /** The server that cases share: it lives on, whatever happens to wires. Sessions: plenty. */
  readonly sshd: Sshd;
  /** A server of the case's own. */
  readonly startSshd: (options: SshdOptions) => Promise<Sshd>;
  /** A relay before the shared server, or before another. */
  readonly relay: (conditions?: WireConditions, sshd?: Sshd) => Promise<FaultyRelay>;
  /** Something else that goes with the case. */
  readonly use: <T extends AsyncDisposable>(own: T) => T;
  /**
   * Connects to a port, as the shared server's client configuration says or another. `options` are values of `-o`. Closed
   * with the case.
   */
  readonly connect: (
    at: { readonly port: number; readonly configFile?: string | undefined },
    ...options: readonly string[]
  ) => Promise<Connection>;
}

/** One thing that goes wrong, and what a transport makes of it. */
export interface FaultCase {
  readonly name: string;
  run(t: Test, bench: FaultBench): Promise<void>;
}

/** Cases that belong together. */
export interface FaultArea {
  readonly name: string;
  readonly cases: readonly FaultCase[];
}
