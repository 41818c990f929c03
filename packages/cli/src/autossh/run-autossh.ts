import {
  abortedError,
  type Connection,
  destinationOf,
  isViasshError,
  type Logger,
  type Route,
  supervise,
  toViasshError,
} from '@viassh/core';
import { keepPidFile } from '../background/pid-file.ts';
import type { CommandContext } from '../commands/command-context.ts';
import { whomToAsk } from '../commands/open-for-command.ts';
import { readEnvironment } from '../environment.ts';
import { openConnection, type OpenRequest } from '../library/open-connection.ts';
import { type CarryContext, carryNeeds, isTerminalWanted } from '../programs/carry-call.ts';
import { readRemoteShellSettings } from '../programs/remote-shell-settings.ts';
import { reportError } from '../terminal/report.ts';
import { type AutosshCall, readAutosshCall } from './autossh-call.ts';
import { openAutosshLog } from './autossh-log.ts';
import { type AutosshSettings, readAutosshSettings } from './autossh-settings.ts';
import type { AutosshWords } from './autossh-words.ts';
import { allForwards } from './configured-forwards.ts';
import { checkForwards, keepForwards } from './keep-forwards.ts';
import { keepSession } from './keep-session.ts';

const FAILED = 1; // autossh's, whatever was wrong
const LONGEST_WAIT_MS = 60_000;

/**
 * `viassh autossh`: what autossh(1) would have ssh do, on a connection that is kept up. Returns autossh's exit codes: 0
 * when it ended as asked for, 1 for failures, and the status of a remote command.
 *
 * @param variables with VIASSH_SSH_OPTIONS, VIASSH_TRANSPORT and VIASSH_PROXY as our own options in front of it say
 * @throws ViasshError ABORTED, by a signal
 */
export async function runAutossh(
  context: CommandContext,
  words: AutosshWords,
  variables: NodeJS.ProcessEnv,
): Promise<number> {
  let logFile: Logger | undefined;
  try {
    const settings = readAutosshSettings(variables, words);
    const { usual, transport, proxy } = readRemoteShellSettings(variables);
    const call = await readAutosshCall(words.ssh, usual);
    await checkForwards(call.forwards);
    if (settings.maxStarts === 0) return 0;
    if (words.background && context.background === undefined) {
      const { startInBackground } = await import('../background/start-in-background.ts');
      return await startInBackground(context);
    }
    const log = openAutosshLog(settings, context.stderr, levelOf(call, context));
    if (settings.logFile !== undefined) logFile = log;
    for (const note of settings.notes) log.warning(note);
    if (settings.pidFile !== undefined) keepPidFile(settings.pidFile, 'AUTOSSH_PIDFILE');
    context.nudges?.surviveHangup();
    // autossh goes into the background before it knows whether there is a way to the server: machines start like that.
    await context.background?.stands();
    return await keepUp({ ...context, log }, call, settings, { transport, proxy: proxy ?? context.usualProxy });
  } catch (error) {
    if (context.signal.aborted && isViasshError(error, 'ABORTED')) throw error;
    const failure = toViasshError(error);
    logFile?.error(`${failure.message} (${failure.code})`);
    reportError(failure, context.globals, context.stderr);
    return FAILED;
  }
}

function levelOf({ spoken }: AutosshCall, { globals }: CommandContext): CommandContext['globals']['level'] {
  if (spoken.quiet) return 'error';
  return spoken.verbose === 0 ? globals.level : spoken.verbose === 1 ? 'info' : 'debug';
}

async function keepUp(
  context: CommandContext,
  { destination, spoken, forwards }: AutosshCall,
  settings: AutosshSettings,
  { transport, proxy }: Pick<OpenRequest, 'transport'> & { readonly proxy: string | undefined },
): Promise<number> {
  const { log, signal } = context;
  const environment = settings.sshFile === undefined ? context.environment : readEnvironment(settings.sshFile);
  let route: Route | undefined;
  const request: Omit<OpenRequest, 'needs'> = {
    destination,
    typed: { ...spoken.typed, proxy },
    transport,
    log,
    signal,
    keepalive: settings.poll !== undefined,
    onRoute: (found) => void (route = found),
    ...whomToAsk(context, environment),
  };
  const { stdin, stdout, stderr } = context;
  const carry: CarryContext = { environment, request, stdin: () => stdin, stdout, stderr };
  const tty = isTerminalWanted(spoken, carry);
  const needs = carryNeeds(spoken, tty);
  let starts = 0;
  const connect = async (attempt: AbortSignal): Promise<Connection> => {
    starts += 1;
    return await openConnection(environment, { ...request, needs, signal: attempt });
  };
  await using supervisor = supervise(connect, {
    log, // and no signal: forwards are taken down before the connection goes
    keepTrying: settings.gateMs === 0,
    gateMs: settings.gateMs,
    maxStarts: settings.maxStarts,
    maxLifetimeMs: settings.maxLifetimeMs,
    pollMs: settings.poll?.everyMs,
    firstPollMs: settings.poll?.firstMs,
    backoff: { capMs: Math.min(LONGEST_WAIT_MS, settings.longestWaitMs) },
  });
  using _nudged = context.nudges?.onNudge((name) => supervisor.retryNow(name));
  const stopped = supervisor.stopped.then((reason) => {
    if (reason.kind === 'lost') throw reason.error;
    return 0; // its lifetime is over
  });
  const { promise: aborted, reject: abort } = Promise.withResolvers<never>();
  for (const end of [stopped, aborted]) end.catch(() => undefined);
  const onAbort = (): void => abort(abortedError(signal.reason));
  signal.addEventListener('abort', onAbort, { once: true });
  if (signal.aborted) onAbort();
  try {
    await Promise.race([supervisor.current({ signal }), stopped, aborted]);
    const said = route === undefined ? new Map<string, readonly string[]>() : destinationOf(route).raw;
    await using kept = keepForwards(context, supervisor, allForwards(forwards, said), said);
    const session = spoken.mode === 'no-command' ? [] : [keepSession(supervisor, { spoken, tty, carry, ...settings })];
    return await Promise.race([stopped, aborted, kept.failed, ...session]);
  } catch (error) {
    if (!signal.aborted && starts >= (settings.maxStarts ?? Infinity)) return 0; // as autossh: it has done what it was to do
    throw error;
  }
}
