import { Readable } from 'node:stream';
import {
  abortedError,
  type Connection,
  destinationOf,
  type ExitStatus,
  exitCodeOf,
  type LocalContext,
  type Plugin,
  type PreparedPlugin,
  type Route,
  runPlugin,
  toViasshError,
  ViasshError,
} from '@viassh/core';
import { keepPidFile, tryPidFile } from '../background/pid-file.ts';
import { readResidence, type Residence } from '../background/resident-options.ts';
import { reportError } from '../terminal/report.ts';
import type { CommandContext } from './command-context.ts';
import { openForCommand } from './open-for-command.ts';

/** Runs a plugin, on a connection of its own where it needs one; the far end's exit status is the exit code. */
export async function runPluginCommand(
  context: CommandContext,
  plugin: Plugin,
  destination: string | undefined,
  raw: Readonly<Record<string, unknown>>,
  words: readonly string[],
  rawResidence: Readonly<Record<string, unknown>> = {},
): Promise<number> {
  const prepared = plugin.prepare(raw, words);
  checkDestination(prepared, destination);
  const residence = readResidence(rawResidence, prepared);
  if (residence.background && context.background === undefined) {
    const { startInBackground } = await import('../background/start-in-background.ts');
    return await startInBackground(context);
  }
  if (residence.pidFile !== undefined) tryPidFile(residence.pidFile); // nothing is to be said to stand, and then fail
  context.exitAtOnceWith(() => prepared.exitCodeOf(abortedError()));
  const local = localContext(context, residence);
  try {
    return await runPrepared(context, prepared, destination, local, residence);
  } catch (error) {
    const failure = toViasshError(error);
    const code = prepared.exitCodeOf(failure);
    await prepared.reportFailure(local, failure);
    if (code === undefined) throw error;
    if (!context.signal.aborted || failure.code !== 'ABORTED') reportError(failure, context.globals, context.stderr);
    return code;
  }
}

/** @throws ViasshError USAGE */
function checkDestination({ name, servesHere }: PreparedPlugin, destination: string | undefined): void {
  if (servesHere === (destination === undefined)) return;
  throw new ViasshError('USAGE', servesHere ? 'a destination makes no sense here' : 'the destination is missing', {
    hint: `viassh ${name} --help shows the options`,
  });
}

function localContext(
  { environment, globals, log, signal, ...context }: CommandContext,
  { pidFile }: Pick<Residence, 'pidFile'>,
): LocalContext {
  let isReady = false;
  return {
    stdio: {
      input: globals.noStdin ? Readable.from([]) : context.stdin,
      output: context.stdout,
      error: context.stderr,
    },
    programs: environment.programs,
    signals: context.signals,
    signal,
    log,
    json: globals.json,
    ready: () => {
      if (isReady) return; // it stands again, after its connection was lost
      isReady = true;
      if (pidFile !== undefined) keepPidFile(pidFile);
      void context.background?.stands();
    },
  };
}

async function runPrepared(
  context: CommandContext,
  prepared: PreparedPlugin,
  destination: string | undefined,
  local: LocalContext,
  residence: Residence,
): Promise<number> {
  const there = async (): Promise<ExitStatus> => {
    if (destination === undefined) throw new ViasshError('INTERNAL', `${prepared.name} was to do all of it here`);
    if (prepared.lifetime === 'one-shot' || residence.once)
      return await runThere(context, prepared, destination, local);
    const { runSupervised } = await import('./run-supervised.ts');
    return await runSupervised(context, prepared, destination, local, residence);
  };
  const exit = (await prepared.runHere(local)) ?? (await there());
  if (exit.kind === 'missing')
    throw new ViasshError('EXIT_STATUS_MISSING', 'the server never said how the remote command ended');
  return exitCodeOf(exit);
}

async function runThere(
  context: CommandContext,
  prepared: PreparedPlugin,
  destination: string,
  local: LocalContext,
): Promise<ExitStatus> {
  const { needs, keepalive, handOver } = prepared;
  let settings: LocalContext['settings'];
  const onRoute = (route: Route): void => void (settings = destinationOf(route).raw);
  const run = async (connection: Connection): Promise<ExitStatus> =>
    await runPlugin(prepared, connection, { ...local, settings });
  if (handOver === undefined)
    return await run(await openForCommand(context, destination, needs, { keepalive, onRoute }));
  const { openOrHandOver } = await import('./open-or-hand-over.ts');
  return await openOrHandOver(context, destination, needs, { keepalive, onRoute }, run, (session) =>
    handOver({ ...local, settings }, session),
  );
}
