import {
  destinationOf,
  type ExitStatus,
  forwardedAgent,
  type HandedX11,
  type HandOverWishes,
  type ProgramRunner,
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
export type HandOverOptions = Omit<MasterOptions, 'verifyHostKey'> & HandOverWishes;

/**
 * Runs one ssh with the caller's own descriptors: no byte passes through JavaScript. The exit status is ssh's own, so a
 * remote signal is 255 (ssh drops its name), and so is a failure of the connection. Where hops are before the last one,
 * that ssh goes through a private master for each; behind a proxy, it is a passenger of one.
 *
 * X11 (`x11`) is what ssh makes of it: it asks `xauth` here for the cookie, tells on stderr when it or the server will
 * not, and runs the command all the same, without a display.
 *
 * @throws ViasshError PROGRAM_NOT_FOUND; where there are masters, what these throw
 */
export async function handOver(
  route: Route,
  request: SessionRequest,
  stdio: ProgramStdio,
  given: HandOverOptions,
): Promise<ExitStatus> {
  const { x11, ...others } = given;
  // Who looks at the display is the ssh that the server knows: this one, or the master that it is a passenger of.
  const options = x11 === undefined ? others : { ...others, programs: withDisplay(others.programs, x11) };
  const hop = destinationOf(route);
  const run = async (args: readonly string[]): Promise<ExitStatus> => {
    options.log.debug(`handing over to ${options.sshFile}`);
    const program = await options.programs.start({ file: options.sshFile, args, stdio, signal: options.signal });
    return await program.exit;
  };
  const before = route.hops.slice(0, -1) as [] | Route['hops'];
  if (before.length === 0 && route.proxy === undefined) return await run(ownSsh(hop, request, x11));

  const known = { ...options, verifyHostKey: verifyByKnownHosts };
  if (before.length === 0) {
    const role = {
      isLast: true,
      options: [...x11Options(x11), ...environmentOptions({ ...hop.sessionEnv, ...request.env })],
    };
    return await withMasters(route, known, role, (socketPath) => run(passenger(hop, request, x11, socketPath)));
  }
  return await withMasters({ ...route, hops: before as Route['hops'] }, known, { isLast: false }, (socketPath) =>
    run(ownSsh(hop, request, x11, { kind: 'through', sshFile: options.sshFile, socketPath })),
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
function ownSsh(hop: ResolvedDestination, request: SessionRequest, x11: HandedX11 | undefined, way?: Way): string[] {
  const options = [
    ...x11Options(x11),
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
function passenger(
  hop: ResolvedDestination,
  request: SessionRequest,
  x11: HandedX11 | undefined,
  socketPath: string,
): string[] {
  const agent = forwardedAgent(hop) === undefined ? [] : ['ForwardAgent=yes']; // which one is the master's affair
  const options = [...agent, ...x11Options(x11)].flatMap((option) => ['-o', option]);
  return [
    ...passengerArguments(socketPath),
    ...options,
    ...requestFlags(request),
    '--',
    'hop',
    ...requestWords(request),
  ];
}

/** Of several values ssh takes the first: these stand before what else is said about X11. */
function x11Options(x11: HandedX11 | undefined): string[] {
  if (x11 === undefined) return [];
  return [
    'ForwardX11=yes',
    `ForwardX11Trusted=${x11.trusted ? 'yes' : 'no'}`, // Debian's ssh has yes where nothing is said
    `ForwardX11Timeout=${x11.timeout}`,
  ];
}

function withDisplay(programs: ProgramRunner, { display, xauthority }: HandedX11): ProgramRunner {
  const variables = { DISPLAY: display, XAUTHORITY: xauthority };
  return {
    start: (request) => programs.start({ ...request, env: { ...request.env, ...variables } }),
    run: (request) => programs.run({ ...request, env: { ...request.env, ...variables } }),
  };
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
