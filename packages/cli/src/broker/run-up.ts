import process from 'node:process';
import { abortedError, isViasshError, type PluginRegistry, systemClock } from '@viassh/core';
import { withUsualOptions } from '../arguments/usual-options.ts';
import { keepPidFile } from '../background/pid-file.ts';
import type { CommandContext } from '../commands/command-context.ts';
import { brokerConfigFile } from './asks-for-sharing.ts';
import { readBrokerConfig } from './broker-config-file.ts';
import { askOwnBroker } from './ask-own-broker.ts';
import { takeInheritedSockets } from './inherited-sockets.ts';
import { connectionWishes } from './connection-wishes.ts';
import { prepareLogFolder } from './log-folder.ts';
import { sharingStarted } from './start-sharing.ts';

/** What `viassh up` was asked for. */
export interface UpArguments {
  readonly names: readonly string[];
  readonly background: boolean;
  readonly pidFile: string | undefined;
  /** For a broker that a command has started for itself: tunnels that nobody names stay down. */
  readonly untilIdle: boolean;
  readonly version: string;
}

/**
 * `viassh up`: a broker that runs is told to bring the tunnels up; where there is none, and below systemd, this process
 * becomes it and stays.
 *
 * @throws ViasshError BROKER_RUNNING, CONFIG_INVALID, TUNNEL_UNKNOWN, FOLDER_UNSAFE, LISTEN_FAILED; ABORTED by a signal
 */
export async function runUp(context: CommandContext, plugins: PluginRegistry, asked: UpArguments): Promise<number> {
  const { signal, environment } = context;
  const sockets = takeInheritedSockets(process.env);
  if (context.background === undefined) {
    // A service that ends at once because another process does its work would be started for ever: it is to be the broker, or to say why not.
    const isService = (process.env['NOTIFY_SOCKET'] ?? '') !== '';
    const told = asked.untilIdle || isService ? undefined : await tellRunning(context, asked);
    if (told !== undefined) return told;
    if (asked.background) {
      const { startInBackground } = await import('../background/start-in-background.ts');
      return await startInBackground(context);
    }
  }
  const { startBroker, serviceManager } = await import('@viassh/broker');
  const { NOTIFY_SOCKET: socket, WATCHDOG_USEC: watchdog } = process.env;
  for (const name of ['NOTIFY_SOCKET', 'WATCHDOG_USEC', 'WATCHDOG_PID']) delete process.env[name]; // ours, and nobody's whom we start
  const { programs } = environment;
  const watchdogMs = Number(watchdog) / 1000;
  await using manager =
    socket === undefined || socket === ''
      ? undefined
      : serviceManager({
          programs,
          clock: systemClock,
          log: context.log,
          socket,
          watchdogMs: watchdogMs > 0 ? watchdogMs : undefined,
        });
  const reload = async (): ReturnType<typeof readBrokerConfig> => await readBrokerConfig(environment, plugins);
  const config = await reload();
  await sockets.takeOver(context.log);
  const { transport } = await withUsualOptions(context.globals, environment.variables);
  await using broker = await startBroker({
    ...connectionWishes(environment, { proxy: context.usualProxy, transport }),
    config,
    configFile: brokerConfigFile(environment.variables),
    runtimeFolder: environment.runtimeFolder,
    plugins,
    programs,
    log: context.log,
    logFolder: await prepareLogFolder(environment.variables, context.log),
    pid: process.pid,
    version: asked.version,
    names: asked.untilIdle && asked.names.length === 0 ? 'none' : asked.names,
    endsWhenIdle: asked.untilIdle,
    reload,
    onState: (state, status) => manager?.tell(state, status),
  });
  if (asked.untilIdle) sharingStarted(environment.runtimeFolder);
  if (asked.pidFile !== undefined) keepPidFile(asked.pidFile);
  if (manager !== undefined) context.nudges?.surviveHangup();
  using _nudged = context.nudges?.onNudge((name) => broker.retryNow(name));
  const { promise: aborted, reject } = Promise.withResolvers<never>();
  const onAbort = (): void => reject(abortedError(signal.reason));
  if (signal.aborted) onAbort();
  else signal.addEventListener('abort', onAbort, { once: true });
  aborted.catch(() => undefined);
  void broker.ready.then(async () => await context.background?.stands());
  await Promise.race([broker.ended, aborted]);
  return 0;
}

/** @returns undefined where no broker runs. */
async function tellRunning(context: CommandContext, { names }: UpArguments): Promise<number | undefined> {
  try {
    const { said = [] } = await askOwnBroker(context, { ask: 'up', names });
    for (const line of said) context.stdout.write(`${line}\n`);
    const { status } = await askOwnBroker(context, { ask: 'status' });
    const failed = status?.tunnels.find(
      ({ name, state }) => state === 'failed' && (names.length === 0 || names.includes(name)),
    );
    if (failed === undefined) return 0;
    const { failureOf } = await import('@viassh/broker');
    throw failureOf({ ok: false, ...(failed.lastError ?? { code: 'INTERNAL', message: `${failed.name} has failed` }) });
  } catch (error) {
    if (isViasshError(error, 'BROKER_ABSENT')) return undefined;
    throw error;
  }
}
