import type { Socket } from 'node:net';
import { type Connection, ViasshError } from '@viassh/core';
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
  const secure = buildConnector({});
  const agent = new Agent({
    connect(options, done) {
      const port = Number(options.port === '' ? (options.protocol === 'https:' ? 443 : 80) : options.port);
      dialOver(connection, options.hostname, port).then(
        (channel) => {
          if (options.protocol === 'https:') secure({ ...options, httpSocket: channel as unknown as Socket }, done);
          else done(null, channel as unknown as Socket);
        },
        (error: unknown) => done(error as Error, null),
      );
    },
  });
  return agent as unknown as FetchDispatcher; // the same, as the types of Node have it
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
