import { join } from 'node:path';
import { type Clock, type Logger, type PluginRegistry, type ProgramRunner, systemClock } from '@viassh/core';
import type { BrokerConfig } from '../config/broker-config.ts';
import { lockBroker } from '../control/broker-lock.ts';
import { controlSocketName } from '../control/requests.ts';
import { prepareRuntimeFolder } from '../control/runtime-folder.ts';
import { keepControlSocket } from '../control/keep-control-socket.ts';
import type { BrokerStatus } from '../status/broker-status.ts';
import { RunningBroker } from './running-broker.ts';
import type { BrokerWorld } from './broker-world.ts';

/** What a broker is made of. */
export interface StartBrokerOptions extends Pick<BrokerWorld, 'connect' | 'keyOf' | 'settingsOf'> {
  readonly config: BrokerConfig;
  /** Its name, for status. */
  readonly configFile: string;
  readonly runtimeFolder: string;
  readonly plugins: PluginRegistry;
  readonly programs: ProgramRunner;
  /** Gets all that tunnels and the broker say, with their names. */
  readonly log: Logger;
  /** Where a log file of each tunnel is to be, for this user alone. It is there. Default: none are written. */
  readonly logFolder?: string | undefined;
  /** Of this process. */
  readonly pid: number;
  readonly version: string;
  readonly clock?: Clock | undefined;
  /** Tunnels to begin with. Default: all that are not manual. */
  readonly names?: readonly string[] | 'none' | undefined;
  /** It ends when nothing rides on it any more, and its connections have become idle. */
  readonly endsWhenIdle?: boolean | undefined;
  /** Reads the configuration anew. @throws ViasshError CONFIG_INVALID: nothing is changed then */
  readonly reload: () => Promise<BrokerConfig>;
  /** `ready`: as {@link Broker.ready}, and after a reload. */
  readonly onState?: ((state: 'ready' | 'reloading' | 'stopping', status: BrokerStatus) => void) | undefined;
}

/** A broker that runs. */
export interface Broker extends AsyncDisposable {
  readonly socketPath: string;
  readonly status: () => BrokerStatus;
  /** Connections that wait try now; those that are up are probed. */
  readonly retryNow: (why: string) => void;
  /** Reads the configuration anew, and says what has changed. @throws ViasshError CONFIG_INVALID */
  readonly reload: () => Promise<readonly string[]>;
  /** Resolves when each of the first tunnels is up or has failed, and after 15 s in every case. Never rejects. */
  readonly ready: Promise<void>;
  /** Resolves when it has ended: closed, asked to stop, idle, or because another one has taken its place. Never rejects. */
  readonly ended: Promise<void>;
  /** Takes everything down. A second call waits for the first. */
  close(): Promise<void>;
}

/**
 * Starts the broker of a runtime folder: its control socket, and the tunnels. Resolves when the socket is there; tunnels
 * come up by themselves, and one that fails is nobody else's trouble.
 *
 * @throws ViasshError BROKER_RUNNING, FOLDER_UNSAFE, LISTEN_FAILED, TUNNEL_UNKNOWN
 */
export async function startBroker(options: StartBrokerOptions): Promise<Broker> {
  const { runtimeFolder, pid, log, clock = systemClock, names = [] } = options;
  await prepareRuntimeFolder(runtimeFolder);
  const lock = await lockBroker(runtimeFolder, pid);
  const socketPath = join(runtimeFolder, controlSocketName);
  const broker = new RunningBroker({ ...options, clock }, socketPath);
  try {
    const first = names === 'none' ? [] : broker.tunnels.named(names);
    const place = await keepControlSocket(socketPath, {
      handle: (request, signal) => broker.handle(request, signal),
      log,
      clock,
      onTaken: () => void broker.close(),
    });
    broker.begin(first, async () => {
      await place[Symbol.asyncDispose]();
      await lock.release();
    });
    return broker;
  } catch (error) {
    await lock.release();
    throw error;
  }
}
