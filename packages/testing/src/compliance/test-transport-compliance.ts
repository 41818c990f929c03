import type { Connection } from '@viassh/core';
import type { Test } from 'tap';
import type { ComplianceArea, ComplianceBench, ComplianceCase } from './compliance-case.ts';
import { connectionArea } from './connection-area.ts';
import { customVerifierArea } from './custom-verifier-area.ts';
import { destroyArea } from './destroy-area.ts';
import type { ComplianceHarness, ComplianceServer } from './harness.ts';
import { hostKeyArea } from './host-key-area.ts';
import { loginArea } from './login-area.ts';
import { lossArea } from './loss-area.ts';
import { lossUnreadArea } from './loss-unread-area.ts';
import { tunArea } from './tun-area.ts';
import { pingArea } from './ping-area.ts';
import { spareSessionArea } from './spare-session-area.ts';
import { incomingArea } from './incoming-area.ts';
import { hopsArea } from './hops-area.ts';
import { wireArea } from './wire-area.ts';
import { manyChannelsArea } from './many-channels-area.ts';
import { reachingArea } from './reaching-area.ts';
import { remoteForwardArea } from './remote-forward-area.ts';
import { remoteForwardEndArea } from './remote-forward-end-area.ts';
import { sessionDataArea } from './session-data-area.ts';
import { sessionExitArea } from './session-exit-area.ts';
import { sessionRequestArea } from './session-request-area.ts';
import { shutdownArea } from './shutdown-area.ts';
import { socketArea } from './socket-area.ts';

/** All areas, in the order in which they run. */
export const complianceAreas: readonly ComplianceArea[] = [
  reachingArea,
  wireArea,
  hopsArea,
  hostKeyArea,
  customVerifierArea,
  loginArea,
  connectionArea,
  pingArea,
  spareSessionArea,
  manyChannelsArea,
  socketArea,
  remoteForwardArea,
  remoteForwardEndArea,
  tunArea,
  incomingArea,
  sessionExitArea,
  sessionDataArea,
  sessionRequestArea,
  destroyArea,
  lossArea,
  lossUnreadArea,
  shutdownArea,
];

const SUITE_TIMEOUT_MS = 900_000;

/** What may be set for a run of the suites. */
export interface ComplianceOptions {
  /** Default: {@link complianceAreas}. */
  readonly areas?: readonly ComplianceArea[] | undefined;
  /** Default: 20 s; no case that passes comes near it. */
  readonly caseTimeoutMs?: number | undefined;
}

/**
 * Runs the compliance suites of Transport, Connection and SessionChannel against one transport. Each case is a subtest
 * `compliance <harness> | <area> | <case>`, so that a report can be made from TAP. Resolves when all have run.
 */
export async function testTransportCompliance(
  t: Test,
  harness: ComplianceHarness,
  { areas = complianceAreas, caseTimeoutMs = 20_000 }: ComplianceOptions = {},
): Promise<void> {
  t.setTimeout(SUITE_TIMEOUT_MS); // of the file too: the runner reads it
  // One test around all: tap ends a file whose root is idle between two cases.
  await t.test(`transport ${harness.name}`, { timeout: SUITE_TIMEOUT_MS }, async (t) => {
    const missing = await harness.missing();
    const shared = shareServer(harness);
    for (const area of areas) {
      for (const one of area.cases) {
        const skip = missing ?? (await reasonToSkip(harness, one)) ?? false;
        const name = `compliance ${harness.name} | ${area.name} | ${one.name}`;
        await t.test(name, { skip, timeout: caseTimeoutMs }, async (t) => {
          await using own = new AsyncDisposableStack();
          const serve: ComplianceBench['serve'] = async (options) => own.use(await harness.serve(options));
          await one.run(t, { harness, server: shared.server, connection: shared.connection, serve });
        });
      }
    }
    await shared.dispose();
  });
}

async function reasonToSkip(
  harness: ComplianceHarness,
  { needs = [], login, wire = false }: ComplianceCase,
): Promise<string | undefined> {
  const lacking: string[] = needs.filter((need) => !harness.transport.capabilities.has(need));
  if (wire && harness.hasWire === false) lacking.push('a wire');
  if (lacking.length > 0) return `the ${harness.name} transport has not: ${lacking.join(', ')}`;
  return await harness.missing(login, needs);
}

/** For what could not be made: the cases that asked for it have failed and said why. */
function unmade(): undefined {}

function shareServer(
  harness: ComplianceHarness,
): Pick<ComplianceBench, 'server' | 'connection'> & { dispose(): Promise<void> } {
  let server: Promise<ComplianceServer> | undefined;
  let connection: Promise<Connection> | undefined;
  let alive = false;
  const getServer = (): Promise<ComplianceServer> => (server ??= harness.serve());
  return {
    server: getServer,
    async connection() {
      if (!alive) {
        connection = (await getServer()).connect();
        alive = true;
        const forget = (): void => void (alive = false);
        connection.then(({ closed }) => closed).then(forget, forget);
      }
      return await (connection as Promise<Connection>);
    },
    async dispose() {
      if (alive) await (await connection?.catch(unmade))?.close();
      await (await server?.catch(unmade))?.[Symbol.asyncDispose]();
    },
  };
}
