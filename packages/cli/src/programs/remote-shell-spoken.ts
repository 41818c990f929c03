import { createWriteStream, openSync, readFileSync } from 'node:fs';
import process from 'node:process';
import type { Readable, Writable } from 'node:stream';
import { type Connection, isViasshError, silentLogger, ViasshError } from '@viassh/core';
import type { RemoteShellCall, SpokenCall } from '../builtin.ts';
import { readEnvironment } from '../environment.ts';
import { abortOnSignals } from '../terminal/abort-on-signals.ts';
import { openInput } from '../terminal/input.ts';
import { flushed, openOutput } from '../terminal/output.ts';
import { reportError, stderrLogger } from '../terminal/report.ts';
import { terminalAuthenticator } from '../terminal/terminal-authenticator.ts';
import { keepYoungGenerationSmall } from '../young-generation.ts';
import { leaseConnectionTo } from '../broker/lease-connection-to.ts';
import { planConnection } from '../library/open-connection.ts';
import { carryCall, type CarryContext, carryOver, isTerminalWanted } from './carry-call.ts';
import type { RemoteShellSettings } from './remote-shell-settings.ts';

export { startSharing } from '../broker/start-sharing.ts';

const FAILED = 255; // whatever was wrong, and for a signal, as ssh ends
const TERMINATED = 128 + 15; // SIGTERM
const NO_SSH = '/nonexistent/ssh'; // where only a link named ssh leads to us, asking it would be asking ourselves

/** What is there to speak with. */
export interface SpokenMeans {
  /** The ssh binary, which reads ssh_config. */
  readonly ssh: string | undefined;
  readonly spokenCall: (call: RemoteShellCall, means: string) => SpokenCall;
  /** A connection that is there already. It is given back at the end. */
  readonly lent?: Connection | undefined;
}

/**
 * The same on the connection of a broker, where it has one to the same place and what is asked for goes over it; undefined
 * where it has none: nothing has been done then.
 */
export async function rideOnBroker(
  call: RemoteShellCall,
  settings: RemoteShellSettings,
  { ssh, spokenCall }: SpokenMeans,
): Promise<number | undefined> {
  const environment = readEnvironment(ssh ?? NO_SSH);
  try {
    const { typed } = spokenCall(call, 'the broker');
    const wanted = {
      destination: call.destination ?? '',
      typed: { ...typed, proxy: settings.proxy },
      transport: settings.transport,
      needs: [],
      log: silentLogger,
    };
    const { resolved, selection } = await planConnection(environment, wanted, true);
    const lent = await leaseConnectionTo(environment, wanted, { route: resolved, transport: selection.transport.name });
    if (lent !== undefined) return await speakRemoteShell(call, settings, { ssh, spokenCall, lent });
  } catch (error) {
    if (!isViasshError(error)) throw error; // what is wrong with it is said by whoever does it now
  }
  return undefined;
}

/**
 * A call of the remote shell on a connection of ours: on the ssh2 transport, or where the way to the server is ours.
 * Returns the exit code that ssh would end with.
 *
 * @throws ViasshError what is wrong with the call itself; what fails later is reported where -E says
 */
export async function speakRemoteShell(
  call: RemoteShellCall,
  settings: RemoteShellSettings,
  { ssh, spokenCall, lent }: SpokenMeans,
): Promise<number> {
  if (call.mode === 'version') return showVersion();
  const transport = settings.transport === 'auto' && ssh === undefined ? 'ssh2' : settings.transport;
  const spoken = spokenCall(call, transport === 'ssh2' ? 'the ssh2 transport' : 'a connection through a proxy of ours');
  keepYoungGenerationSmall();
  delete process.env['VIASSH_PROXY']; // it may have a password in it, which nothing that we start is to see
  delete process.env['VIASSH_SSH_OPTIONS'];
  const stdout = openOutput(1, process.stdout).on('error', () => undefined);
  const stderr = openOutput(2, process.stderr).on('error', () => undefined);
  const logTo = spoken.logFile === undefined ? stderr : openLog(spoken.logFile);
  const level = spoken.quiet ? 'error' : ((['warning', 'info'] as const)[spoken.verbose] ?? 'debug');
  const signals = abortOnSignals();
  let input: Readable | undefined;
  const environment = readEnvironment(ssh ?? NO_SSH);
  try {
    const context: CarryContext = {
      environment,
      request: {
        destination: call.destination ?? '',
        typed: { ...spoken.typed, proxy: settings.proxy },
        transport,
        log: stderrLogger(level, logTo),
        signal: signals.signal,
        spareSession: false, // one command runs over it
        authenticate: terminalAuthenticator(environment.programs, environment.variables),
      },
      stdin: () => (input ??= openInput(() => process.stdin)),
      stdout,
      stderr,
    };
    if (lent === undefined) return await carryCall(spoken, context);
    await using connection = lent;
    return await carryOver(connection, spoken, isTerminalWanted(spoken, context), context);
  } catch (error) {
    if (signals.exitCode() !== undefined && isViasshError(error, 'ABORTED'))
      return isHeld(spoken) && signals.exitCode() === TERMINATED ? 0 : FAILED;
    reportError(error, { json: false, level }, logTo);
    return FAILED;
  } finally {
    if (signals.exitCode() === undefined) await Promise.all([stdout, stderr, logTo].map(flushed));
  }
}

/** clientloop.c: SIGTERM is how a connection without a command is meant to end. */
function isHeld({ mode }: SpokenCall): boolean {
  return mode === 'no-command' || mode === 'stdio-forward';
}

function openLog(file: string): Writable {
  try {
    return createWriteStream('', { fd: openSync(file, 'a') }).on('error', () => undefined);
  } catch (cause) {
    const reason = (cause as NodeJS.ErrnoException).code ?? 'unknown reason';
    throw new ViasshError('STREAM_FAILED', `the log file of -E cannot be opened (${reason}): ${file}`, {
      hint: 'name a file that you may write to',
      cause,
    });
  }
}

/** On stderr, as ssh. */
function showVersion(): number {
  const manifest: unknown = JSON.parse(readFileSync(new URL('../package.json', import.meta.url), 'utf8'));
  process.stderr.write(`viassh ${String((manifest as { version?: unknown }).version)}\n`);
  return 0;
}
