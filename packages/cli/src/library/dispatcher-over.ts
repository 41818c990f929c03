import type { Socket } from 'node:net';
import { callbackify, promisify } from 'node:util';
import { type Connection, ViasshError } from '@viassh/core';
import type { buildConnector } from 'undici';
import { dialOver } from './dial-over.ts';

/** What `fetch` takes as its `dispatcher`. */
export type FetchDispatcher = NonNullable<RequestInit['dispatcher']>;

/**
 * A dispatcher for `fetch`, of Node or of undici, whose requests are dialled by the far end: names are resolved there. It
 * takes the package undici, which is yours to install. `close()` it when all is done; the connection stays.
 *
 * @throws ViasshError PROGRAM_NOT_FOUND when undici is not installed; a fetch fails with a TypeError whose `cause` is one
 * of CHANNEL_REFUSED, CONNECTION_LOST, CONNECTION_CLOSED
 */
export async function dispatcherOver(connection: Pick<Connection, 'openDirectTcpip'>): Promise<FetchDispatcher> {
  const { Agent, buildConnector } = await loadUndici();
  const secure = promisify(buildConnector({}));
  const dial = callbackify(async (options: buildConnector.Options): Promise<Socket> => {
    const isSecure = options.protocol === 'https:';
    const port = Number(options.port === '' ? (isSecure ? 443 : 80) : options.port);
    const channel = (await dialOver(connection, options.hostname, port)) as unknown as Socket; // undici takes any Duplex
    return isSecure ? ((await secure({ ...options, httpSocket: channel })) ?? channel) : channel;
  });
  const agent = new Agent({
    connect: (options, done) =>
      dial(options, (error, socket) => (error === null ? done(null, socket) : done(error, null))),
  });
  return agent;
}

async function loadUndici(): Promise<typeof import('undici')> {
  try {
    return await import('undici');
  } catch (cause) {
    throw new ViasshError('PROGRAM_NOT_FOUND', 'dispatcherOver() needs the package undici, which is not installed', {
      hint: 'npm install undici; or use agentOver() with node:http and node:https, which needs nothing',
      cause,
    });
  }
}
