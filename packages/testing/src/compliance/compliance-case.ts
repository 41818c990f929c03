import type { Capability, Connection } from '@viassh/core';
import type { Test } from 'tap';
import type { ComplianceHarness, ComplianceServer, ComplianceServerOptions } from './harness.ts';

/** What a case has at hand. */
export interface ComplianceBench {
  readonly harness: ComplianceHarness;
  /** The server that cases share while they do not hurt it. */
  readonly server: () => Promise<ComplianceServer>;
  /** A connection to it, shared likewise; a new one when the last case left none that lives. */
  readonly connection: () => Promise<Connection>;
  /** A server of the case's own; goes with the case. */
  readonly serve: (options?: ComplianceServerOptions) => Promise<ComplianceServer>;
}

/** One thing that a transport has to get right, named by what would break. */
export interface ComplianceCase {
  readonly name: string;
  /** Without these the case is skipped: the only reason there is, beside what the machine cannot serve. */
  readonly needs?: readonly Capability[];
  readonly login?: ComplianceServerOptions['login'];
  /** It is about the socket under the connection. */
  readonly wire?: boolean;
  run(t: Test, bench: ComplianceBench): Promise<void>;
}

/** Cases that belong together: one column of the compliance report. */
export interface ComplianceArea {
  readonly name: string;
  readonly cases: readonly ComplianceCase[];
}
