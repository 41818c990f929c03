import { mkdir } from 'node:fs/promises';
import { join } from 'node:path';
import { silentLogger } from '@viassh/core';
import { makeScratchFolder } from '@viassh/testing';
import type { Test } from 'tap';
import type { ControlRequest } from '../../src/control/requests.ts';
import { type ControlReply, type ControlServer, serveControl } from '../../src/control/serve-control.ts';

/** A control socket in a folder of its own. */
export interface ControlWorld {
  readonly folder: string;
  readonly path: string;
  readonly server: ControlServer;
  readonly asked: readonly ControlRequest[];
}

export type Handle = (request: ControlRequest, signal: AbortSignal) => Promise<ControlReply>;

export async function controlWorld(
  t: Test,
  handle: Handle = async () => ({ answer: { ok: true } }),
): Promise<ControlWorld> {
  const folder = await runtimeFolder(t);
  const path = join(folder, 'control.sock');
  const asked: ControlRequest[] = [];
  const server = await serveControl(path, {
    handle: async (request, signal) => {
      asked.push(request);
      return await handle(request, signal);
    },
    log: silentLogger,
  });
  t.teardown(() => server.close());
  return { folder, path, server, asked };
}

/** An empty folder for its owner alone. */
export async function runtimeFolder(t: Test): Promise<string> {
  const scratch = await makeScratchFolder();
  t.teardown(() => scratch[Symbol.asyncDispose]());
  const folder = join(scratch.path, 'run');
  await mkdir(folder, { mode: 0o700 });
  return folder;
}
