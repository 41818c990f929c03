import { lstat } from 'node:fs/promises';
import { createServer } from 'node:net';
import { tmpdir, userInfo } from 'node:os';
import { join, resolve } from 'node:path';
import { once } from 'node:events';
import {
  type Availability,
  type Capability,
  capabilityMissing,
  type ConnectOptions,
  type Connection,
  destinationOf,
  isViasshError,
  type ProgramRunner,
  type Route,
  type Transport,
  ViasshError,
} from '@viassh/core';
import { makePrivateFolder, type PrivateFolder, sweepBeside } from '../master/private-folder.ts';
import { type ControlClient, openControlClient } from '../mux/control-client.ts';
import { ControlConnection } from './control-connection.ts';
import { LogPool } from './log-pool.ts';
import { lifeSocket, sweepForwards } from './shared-folder.ts';

/** What the transport needs from its surroundings. */
export interface ControlTransportOptions {
  readonly programs: ProgramRunner;
  /** The control socket of a master that somebody started: `ssh -M -S PATH`, or ssh_config's ControlPath. No tokens. */
  readonly controlPath: string;
  /** The ssh binary; default `ssh` from PATH. */
  readonly sshFile?: string | undefined;
  /** Private folders are made below it; default: one for this user in the system's temporary folder. */
  readonly runtimeFolder?: string | undefined;
}

const capabilities: ReadonlySet<Capability> = new Set<Capability>([
  'exec',
  'shell',
  'subsystem',
  'direct-tcpip',
  'direct-streamlocal',
  'forwarded-tcpip',
  'forwarded-streamlocal',
]);

/**
 * The transport on the user's own ControlMaster (OpenSSH ≥ 7.4): nothing is dialled and nobody logs in. Never its proxy
 * mode, in which a client can end the master: sessions are passengers (`ssh -S`, one process each), the rest are forwards.
 * Closing leaves the master as it was.
 *
 * What it cannot do better than ssh's own passengers:
 * - a remote signal is `missing`, and so is the end of a request that the server refuses;
 * - the far end's EOF on a session shows when the command has ended;
 * - variables reach the server as far as the master's own SendEnv names them, so `env` is no capability;
 * - a direct channel opens before the server was asked; a refusal is CHANNEL_REFUSED on the channel.
 *
 * No host key is verified here: whoever started the master has done that, and the destination is only a name for it. A
 * custom verifier is refused, because it would never be asked.
 */
export function createControlTransport({
  programs,
  controlPath,
  sshFile = 'ssh',
  runtimeFolder = join(tmpdir(), `viassh-${userInfo().uid}`),
}: ControlTransportOptions): Transport {
  const path = resolve(controlPath);
  return {
    name: 'control',
    capabilities,
    available: async () => await availability(path),
    connect,
  };

  async function connect(route: Route, { signal, verifyHostKey, log }: ConnectOptions): Promise<Connection> {
    if (verifyHostKey.kind === 'custom') {
      throw capabilityMissing(
        'control',
        'custom-host-key-verifier',
        'the master verified the host key when it logged in',
      );
    }
    if (route.proxy !== undefined) {
      throw new ViasshError('SETTING_UNSUPPORTED', 'a proxy has no part in a connection that stands already', {
        hint: 'leave the proxy or --control away',
      });
    }
    const undo: (() => unknown)[] = [];
    const release = async (): Promise<void> => {
      for (const step of undo.splice(0).toReversed()) await step();
    };
    try {
      const control = await openMaster(path, signal);
      undo.push(() => control.close());
      const masterPid = await control.alive({ signal });
      const folder = await makePrivateFolder(runtimeFolder);
      undo.push(() => folder.remove());
      const life = await showLife(folder);
      undo.push(() => life[Symbol.asyncDispose]());
      const logs = new LogPool(programs, folder);
      undo.push(() => logs.close());
      await sweepForwards(folder, path, control);
      await sweepBeside(folder).catch(() => undefined); // what is left of others is no reason to fail
      const passage = { programs, sshFile, controlPath: path, logs, log };
      const hop = destinationOf(route);
      return new ControlConnection({ control, passage, folder, hop, masterPid, capabilities, release });
    } catch (error) {
      await release();
      throw error;
    }
  }
}

async function availability(path: string): Promise<Availability> {
  try {
    const control = await openMaster(path);
    const pid = await control.alive().finally(() => control.close());
    return { ok: true, detail: `your ssh master answers on ${path} (process ${pid})` };
  } catch (error) {
    if (isViasshError(error)) return { ok: false, reason: [error.message, error.hint].filter(Boolean).join('; ') };
    throw error;
  }
}

/** @throws ViasshError TRANSPORT_UNAVAILABLE, ABORTED */
async function openMaster(path: string, signal?: AbortSignal): Promise<ControlClient> {
  const unavailable = (why: string, cause?: unknown): ViasshError =>
    new ViasshError('TRANSPORT_UNAVAILABLE', `there is no ssh master on ${path}: ${why}`, {
      hint: `start one: ssh -M -N -f -S ${path} DEST`,
      cause,
    });
  if (path.includes('${')) throw unavailable('ssh takes ${ in a path for a variable');
  const found = await lstat(path).catch((error: NodeJS.ErrnoException) => error);
  if (found instanceof Error) throw unavailable(found.code === 'ENOENT' ? 'nothing is there' : found.message, found);
  if (!found.isSocket()) throw unavailable('it is not a socket');
  if (found.uid !== userInfo().uid) throw unavailable('it belongs to somebody else');
  try {
    return await openControlClient(path, { signal });
  } catch (error) {
    if (!isViasshError(error, 'CONNECTION_LOST')) throw error;
    const { cause } = error as { cause?: NodeJS.ErrnoException };
    throw unavailable(cause?.code === 'ECONNREFUSED' ? 'nobody listens on it' : error.message, error);
  }
}

/** A socket in our folder that answers as long as we live: others then know what is left behind. */
async function showLife(folder: PrivateFolder): Promise<AsyncDisposable> {
  const server = createServer((socket) => socket.destroy());
  await once(server.listen(folder.file(lifeSocket)), 'listening');
  return {
    async [Symbol.asyncDispose]() {
      await new Promise<void>((done) => server.close(() => done()));
    },
  };
}
