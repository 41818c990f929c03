import {
  type Authenticator,
  type Capability,
  checkDestination,
  type Connection,
  type ConnectionInfo,
  type Destination,
  type HostKeyVerifier,
  type Logger,
  parseDestination,
  resolveRoute,
  type Route,
  sanitize,
  selectTransport,
  type SparePolicy,
  type TransportSelection,
  type TypedOptions,
  verifyByKnownHosts,
  withKeepalive,
} from '@viassh/core';
import type { Environment } from '../environment.ts';
import { leaseConnectionTo } from '../broker/lease-connection-to.ts';
import { checkTypedOptions } from './check-typed-options.ts';
import { transportWithControl } from './transport-with-control.ts';

/** What is to be opened, and how. */
export interface OpenRequest {
  readonly destination: string | Destination;
  readonly typed: TypedOptions;
  /** `auto`, or a transport's name. */
  readonly transport: string;
  /** The control socket of a master of the user's own: the transport is then `control`. */
  readonly control?: string | undefined;
  readonly needs: readonly Capability[];
  /** A transport that lacks some of them will do, where its own process takes sessions over. For {@link planConnection}. */
  readonly handsOver?: boolean | undefined;
  readonly log: Logger;
  readonly signal?: AbortSignal | undefined;
  readonly verifyHostKey?: HostKeyVerifier | undefined;
  /** Asked where the transport does not ask by itself; with `always` in every case. */
  readonly authenticate?: Authenticator | undefined;
  readonly alwaysAuthenticate?: boolean | undefined;
  /** See `ConnectOptions` of core. */
  readonly spareSession?: SparePolicy | undefined;
  /** Called before anything is dialled. */
  readonly onRoute?: ((route: Route) => void) | undefined;
  /** A broker of this user may lend its connection to the same place, where one runs. Default: false. */
  readonly lease?: boolean | undefined;
  /** That of VIASSH_PROXY: for a broker that this command starts. */
  readonly usualProxy?: string | undefined;
  /** Long silences are to be expected: keepalives where the configuration has none. */
  readonly keepalive?: boolean | undefined;
}

const KEEPALIVE = 60; // seconds: below what routers that forget connections allow; with CountMax 3, a loss is noticed within 3 minutes

/** A destination as it would be reached. */
export interface Plan {
  readonly route: Route;
  /** The same, without the keepalives that were asked for beside the configuration. */
  readonly resolved: Route;
  readonly selection: TransportSelection;
}

/** Resolves the destination and selects the transport, which is made ready where `connects`; nothing is dialled. */
export async function planConnection(
  environment: Environment,
  { destination, typed, transport, control, needs, handsOver, keepalive = false, signal }: OpenRequest,
  connects = false,
): Promise<Plan> {
  const parsed = typeof destination === 'string' ? parseDestination(destination) : checkDestination(destination);
  checkTypedOptions(typed);
  const name = transportWithControl(transport, control);
  const entries = control === undefined ? environment.transports : [environment.controlTransport(control)];
  const select = async (): Promise<TransportSelection> => {
    const selection = await selectTransport(entries, name, needs, { handsOver });
    if (connects) await selection.transport.prepare?.();
    return selection;
  };
  const [resolved, selection] = await Promise.all([resolveRoute(environment.config, parsed, typed, signal), select()]);
  return { route: keepalive ? withKeepalive(resolved, KEEPALIVE) : resolved, resolved, selection };
}

/** Resolve and select, unless there is a `plan` already; known hosts, connect. @throws ViasshError of any of these steps */
export async function openConnection(environment: Environment, request: OpenRequest, plan?: Plan): Promise<Connection> {
  const { route, resolved, selection } = plan ?? (await planConnection(environment, request, true));
  const { transport, reason } = selection;
  request.onRoute?.(route);
  if (request.lease === true && request.control === undefined) {
    const lent = await leaseConnectionTo(environment, request, {
      route: resolved,
      transport: selection.transport.name,
    });
    if (lent !== undefined) return lent;
  }
  request.log.info(`transport ${transport.name}: ${reason}`);
  const connection = await transport.connect(route, {
    signal: request.signal,
    verifyHostKey: request.verifyHostKey ?? verifyByKnownHosts,
    authenticate:
      transport.asksItself === true && request.alwaysAuthenticate !== true ? undefined : request.authenticate,
    log: request.log,
    spareSession: request.spareSession,
  });
  logHops(connection.info, request.log);
  return connection;
}

/** One line for each hop with what is known of it. */
function logHops({ hops }: ConnectionInfo, log: Logger): void {
  for (const [index, hop] of hops.entries()) {
    const { peer, serverVersion, hostKey = 'unknown', kex, cipher = 'unknown', authenticatedBy = 'unknown' } = hop;
    const facts = [
      index === hops.length - 1 ? `connected to ${peer}` : `through ${peer}`,
      `host key ${hostKey}`,
      ...(kex === undefined ? [] : [`key exchange ${kex}`]),
      `cipher ${cipher}`,
      `logged in by ${authenticatedBy}`,
      ...(hop.roundTripMs === undefined
        ? []
        : [`round trip ${hop.roundTripMs.toFixed(hop.roundTripMs < 10 ? 1 : 0)} ms`]),
      ...(serverVersion === undefined ? [] : [sanitize(serverVersion)]),
    ];
    log.info(facts.join('; '));
  }
}
