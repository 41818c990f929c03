import type { Connection } from '@viassh/core';
import {
  type DynamicForwardRequest,
  type Forward,
  type ForwardOptions,
  loadForward,
  type LocalForwardSpec,
  type RemoteForwardSpec,
} from '../builtin.ts';

/**
 * Connections to a place of this machine go to a target of the far end (`ssh -L`). Resolves when it listens; port 0 is one
 * that is free, and in `address`. It stands until its `close()`, or the end of the connection, which is the caller's.
 *
 * @throws ViasshError LISTEN_FAILED, CAPABILITY_MISSING, CONNECTION_LOST, CONNECTION_CLOSED, ABORTED
 */
export async function forwardLocal(
  connection: Connection,
  spec: Omit<LocalForwardSpec, 'kind'>,
  options?: ForwardOptions,
): Promise<Forward> {
  return await (await loadForward()).forwardLocal(connection, spec, options);
}

/**
 * Connections that are made to the far end go to a target of this machine (`ssh -R`), or where a SOCKS client there says.
 *
 * @throws ViasshError FORWARD_REFUSED, CONNECTION_LOST, CONNECTION_CLOSED, ABORTED, OPTION_INVALID
 */
export async function forwardRemote(
  connection: Connection,
  spec: Omit<RemoteForwardSpec, 'kind'>,
  options?: ForwardOptions,
): Promise<Forward> {
  return await (await loadForward()).forwardRemote(connection, spec, options);
}

/**
 * A SOCKS or HTTP proxy on this machine, whose clients go where the far end can (`ssh -D`).
 *
 * @throws ViasshError LISTEN_FAILED, CAPABILITY_MISSING, CONNECTION_LOST, CONNECTION_CLOSED, ABORTED
 */
export async function forwardDynamic(
  connection: Connection,
  spec: DynamicForwardRequest,
  options?: ForwardOptions,
): Promise<Forward> {
  return await (await loadForward()).forwardDynamic(connection, spec, options);
}
