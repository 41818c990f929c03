import {
  destinationOf,
  type ExitStatus,
  forwardedAgent,
  type ProgramStdio,
  type ResolvedDestination,
  type Route,
  type SessionRequest,
  sshArguments,
  verifyByKnownHosts,
} from '@viassh/core';
import { type MasterRole, plainHelper } from './master/master-arguments.ts';
import type { MasterOptions } from './master/private-master.ts';
import { startRouteMasters } from './master/route-masters.ts';
import { passengerArguments, type Way, wayOptions } from './master/way.ts';

/** What handing over takes. */
export type HandOverOptions = Omit<MasterOptions, 'verifyHostKey'>;

/**
 * Runs one ssh with the caller's own descriptors: no byte passes through JavaScript. The exit status is ssh's own, so a
 * remote signal is 255 (ssh drops its name), and so is a failure of the connection. Where hops are before the last one,
 * that ssh goes through a private master for each; behind a proxy, it is a passenger of one.
 *
 * @throws ViasshError PROGRAM_NOT_FOUND; where there are masters, what these throw
 */
export async function handOver(
  route: Route,
  request: SessionRequest,
  stdio: ProgramStdio,
  options: HandOverOptions,
): Promise<ExitStatus> {
  const hop = destinationOf(route);
  const run = async (args: readonly string[]): Promise<ExitStatus> => {
    options.log.debug(`handing over to ${options.sshFile}`);
    const program = await options.programs.start({ file: options.sshFile, args, stdio, signal: options.signal });
    return await program.exit;
  };
  const before = route.hops.slice(0, -1) as [] | Route['hops'];
  if (before.length === 0 && route.proxy === undefined) return await run(ownSsh(hop, request));

  const known = { ...options, verifyHostKey: verifyByKnownHosts };
  if (before.length === 0) {
    const role = { isLast: true, options: environmentOptions({ ...hop.sessionEnv, ...request.env }) };
    return await withMasters(route, known, role, (socketPath) => run(passenger(hop, request, socketPath)));
  }
  return await withMasters({ ...route, hops: before as Route['hops'] }, known, { isLast: false }, (socketPath) =>
    run(ownSsh(hop, request, { kind: 'through', sshFile: options.sshFile, socketPath })),
  );
}

async function withMasters<T>(
  route: Route,
  options: MasterOptions,
  role: Pick<MasterRole, 'isLast' | 'options'>,
  use: (socketPath: string) => Promise<T>,
): Promise<T> {
  const masters = await startRouteMasters(route, options, role);
  try {
    return await use(masters.socketPath);
  } finally {
    await masters.stop();
  }
}

/** An ssh that logs in itself. */
function ownSsh(hop: ResolvedDestination, request: SessionRequest, way?: Way): string[] {
  const options = [
    ...(way === undefined ? [] : wayOptions(hop, way)),
    'ControlPath=none',
    ...plainHelper(hop).filter((option) => option !== 'RequestTTY=no'),
    ...environmentOptions({ ...hop.sessionEnv, ...request.env }),
  ];
  // With a way, -J has been followed already; -A and -a stay, as the agent is this ssh's own affair.
  const typed = way === undefined ? hop.typed : { ...hop.typed, proxyJump: undefined };
  return [
    ...options.flatMap((option) => ['-o', option]),
    ...requestFlags(request),
    ...sshArguments(typed, hop.destination),
    '--',
    hop.destination.host,
    ...requestWords(request),
  ];
}

/** An ssh that hands its descriptors to a master, which was told the environment. */
function passenger(hop: ResolvedDestination, request: SessionRequest, socketPath: string): string[] {
  const agent = forwardedAgent(hop) === undefined ? [] : ['-o', 'ForwardAgent=yes']; // which one is the master's affair
  return [...passengerArguments(socketPath), ...agent, ...requestFlags(request), '--', 'hop', ...requestWords(request)];
}

function requestFlags(request: SessionRequest): string[] {
  return [request.pty === undefined ? '-T' : '-tt', ...(request.kind === 'subsystem' ? ['-s'] : [])];
}

function requestWords(request: SessionRequest): string[] {
  return request.kind === 'exec' ? [request.command] : request.kind === 'subsystem' ? [request.subsystem] : [];
}

/** Session variables as options of ssh, all in one SetEnv: ssh heeds only the first. */
export function environmentOptions(env: Readonly<Record<string, string>>): string[] {
  const settings = Object.entries(env).map(([name, value]) => `"${name}=${value.replace(/["\\]/g, '\\$&')}"`);
  return settings.length === 0 ? [] : [`SetEnv=${settings.join(' ')}`];
}
