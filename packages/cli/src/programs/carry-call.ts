import { Readable, type Writable } from 'node:stream';
import { ReadStream } from 'node:tty';
import {
  abortedError,
  bridge,
  type Capability,
  type Connection,
  describeExit,
  destinationOf,
  type ExitStatus,
  pipe,
  type ResolvedDestination,
  type SessionRequest,
  type TcpipTarget,
  ViasshError,
} from '@viassh/core';
import type { SpokenCall } from '../builtin.ts';
import type { Environment } from '../environment.ts';
import { openConnection, type OpenRequest, planConnection } from '../library/open-connection.ts';
import { farTerminal, followTerminal } from '../terminal/far-terminal.ts';

const FAILED = 255;

/** What a call is carried by, and between what. */
export interface CarryContext {
  readonly environment: Environment;
  readonly request: Omit<OpenRequest, 'needs'>;
  /** Opened only where something is read from it. */
  readonly stdin: () => Readable;
  readonly stdout: Writable;
  readonly stderr: Writable;
}

/** Does what the call asks for; gives the exit code that ssh would have. @throws ViasshError */
export async function carryCall(spoken: SpokenCall, context: CarryContext): Promise<number> {
  const { environment, stdout } = context;
  const tty = isTerminalWanted(spoken, context);
  const request: OpenRequest = { ...context.request, needs: carryNeeds(spoken, tty) };
  if (spoken.mode === 'configuration') {
    const { route } = await planConnection(environment, request);
    stdout.write(asSshPrints(destinationOf(route)));
    return 0;
  }
  const session = sessionOf(spoken);
  if (session !== undefined && request.typed.proxy !== undefined) {
    const exit = await handOver({ ...session, ...terminalOf(tty, context) }, spoken, request, context);
    if (exit !== undefined) return codeOf(exit);
  }
  await using connection = await openConnection(environment, request);
  return await carryOver(connection, spoken, tty, context);
}

/** What the call asks for, on a connection that is up; gives the exit code that ssh would have. @throws ViasshError */
export async function carryOver(
  connection: Connection,
  spoken: SpokenCall,
  tty: boolean,
  context: CarryContext,
): Promise<number> {
  const session = sessionOf(spoken);
  if (spoken.forward !== undefined) return await joinForward(connection, spoken.forward, spoken, context);
  if (session === undefined) return await hold(connection, context.request.signal);
  return await joinSession(connection, session, tty, spoken, context);
}

/** The openssh transport has ssh take our descriptors, also through a proxy; undefined where there is no such process. */
async function handOver(
  session: SessionRequest,
  spoken: SpokenCall,
  request: OpenRequest,
  { environment }: CarryContext,
): Promise<ExitStatus | undefined> {
  const { route, selection } = await planConnection(environment, request, true);
  return await selection.transport.handOver?.(
    route,
    session,
    [spoken.noStdin ? 'ignore' : 'inherit', 'inherit', 'inherit'],
    { log: request.log, signal: request.signal },
  );
}

async function joinSession(
  connection: Connection,
  session: SessionRequest,
  tty: boolean,
  spoken: SpokenCall,
  context: CarryContext,
): Promise<number> {
  const { request, stdout, stderr } = context;
  const stdin = inputOf(spoken, context);
  const running = await pipe(connection, session, {
    stdin,
    stdout,
    stderr,
    ...terminalOf(tty, context),
    signal: request.signal,
  });
  using _ = tty ? followTerminal({ stdin, stdout }, running) : undefined;
  const exit = await running.exit;
  request.log.info(`the remote command ended: ${describeExit(exit)}`);
  if (running.progress.outputClosed) return FAILED; // the channel was closed, and its status is not waited for
  if (exit.kind === 'missing')
    throw new ViasshError('EXIT_STATUS_MISSING', 'the server never said how the remote command ended');
  return codeOf(exit);
}

/** -W: the far end's socket and our stdio. */
async function joinForward(
  connection: Connection,
  target: TcpipTarget,
  spoken: SpokenCall,
  context: CarryContext,
): Promise<number> {
  const { signal } = context.request;
  const channel = await connection.openDirectTcpip(target, { signal });
  await bridge(channel, { input: inputOf(spoken, context), output: context.stdout }, { signal }).done;
  return 0;
}

/** -N: until a signal comes, or the connection is lost. */
async function hold(connection: Connection, signal: AbortSignal | undefined): Promise<number> {
  const aborted = Promise.withResolvers<never>();
  signal?.addEventListener('abort', () => aborted.reject(abortedError(signal.reason)), { once: true });
  const reason = await Promise.race([connection.closed, aborted.promise]);
  if (reason.kind === 'lost') throw reason.error;
  return FAILED;
}

function sessionOf({ mode, command }: SpokenCall): SessionRequest | undefined {
  if (mode === 'exec') return { kind: 'exec', command };
  if (mode === 'shell') return { kind: 'shell' };
  if (mode !== 'subsystem') return undefined;
  if (command !== '') return { kind: 'subsystem', subsystem: command };
  throw new ViasshError('USAGE', '-s wants the name of a subsystem', { hint: '-s host sftp' });
}

/** What a connection has to be able to do for a call. */
export function carryNeeds({ mode }: SpokenCall, tty: boolean): Capability[] {
  if (mode === 'stdio-forward') return ['direct-tcpip'];
  if (mode !== 'exec' && mode !== 'shell' && mode !== 'subsystem') return [];
  return [mode, ...(tty ? (['pty'] as const) : [])];
}

/** -tt has one also where stdin is none, as for programs that want to see one. */
export function isTerminalWanted({ tty, noStdin }: SpokenCall, { stdin, request }: CarryContext): boolean {
  if (tty === 'no' || tty === 'force') return tty === 'force';
  const isOne = !noStdin && stdin() instanceof ReadStream;
  if (!isOne && tty === 'yes') request.log.warning('no terminal for the far end: stdin is none (-tt has one anyway)');
  return isOne;
}

function terminalOf(tty: boolean, { stdout, environment }: CarryContext): Pick<SessionRequest, 'pty'> {
  return tty ? { pty: farTerminal({ stdout }, environment.variables) } : {};
}

function inputOf({ noStdin }: SpokenCall, { stdin }: CarryContext): Readable {
  return noStdin ? Readable.from([]) : stdin();
}

/** The status, and 255 for a signal: ssh drops its name, and callers are to see one behaviour. */
function codeOf(exit: ExitStatus): number {
  return exit.kind === 'status' ? exit.code & 0xff : FAILED;
}

/** `name value` lines, as `ssh -G` has them. */
function asSshPrints({ raw, hostName, user, port }: ResolvedDestination): string {
  const settled = new Map([...raw, ['hostname', [hostName]], ['user', [user]], ['port', [String(port)]]] as const);
  return [...settled].flatMap(([name, values]) => values.map((value) => `${name} ${value}\n`)).join('');
}
