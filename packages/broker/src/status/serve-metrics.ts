import type { IncomingMessage, ServerResponse } from 'node:http';
import type { Socket } from 'node:net';
import { listen, type Logger, type NearEnd, type NearListener, toViasshError } from '@viassh/core';
import type { BrokerStatus } from './broker-status.ts';

const MOST_CLIENTS = 16;
const MOST_MS = 10_000; // from connect to close: a scrape is one request

/**
 * Serves `GET /metrics` on a near end until it is closed. Bounded: 16 clients, each for 10 seconds and one request.
 *
 * @throws ViasshError LISTEN_FAILED, ABORTED
 */
export async function serveMetrics(
  nearEnd: NearEnd,
  read: () => BrokerStatus,
  { log, signal }: { readonly log: Logger; readonly signal?: AbortSignal | undefined },
): Promise<NearListener> {
  const { createServer } = await import('node:http'); // of all that use this package only brokers with metrics need it
  const clients = new Set<Socket>();
  const server = createServer({ keepAlive: false, maxHeaderSize: 8192 }, (request, response) => {
    answer(request, response, read).catch((error: unknown) => {
      log.warning(`metrics cannot be told: ${toViasshError(error).message}`);
      response.destroy();
    });
  });
  const listener = await listen(
    nearEnd,
    (client) => {
      if (clients.size >= MOST_CLIENTS) {
        client.destroy();
        return;
      }
      clients.add(client);
      const timer = setTimeout(() => client.destroy(), MOST_MS).unref();
      client.once('close', () => {
        clearTimeout(timer);
        clients.delete(client);
      });
      server.emit('connection', client);
    },
    { signal },
  );
  const close = async (): Promise<void> => {
    for (const client of clients) client.destroy();
    await listener.close();
  };
  return { nearEnd: listener.nearEnd, close, [Symbol.asyncDispose]: close };
}

async function answer(request: IncomingMessage, response: ServerResponse, read: () => BrokerStatus): Promise<void> {
  const path = request.url?.split('?')[0];
  if (path !== '/metrics') return say(response, 404, 'text/plain', 'metrics are at /metrics\n');
  if (request.method !== 'GET' && request.method !== 'HEAD')
    return say(response.setHeader('Allow', 'GET, HEAD'), 405, 'text/plain', 'they can be read, and nothing else\n');
  const { metricsText } = await import('./metrics-text.ts'); // by the first that asks: most brokers are never asked
  const { contentType, text } = await metricsText(read());
  return say(response, 200, contentType, text);
}

function say(response: ServerResponse, status: number, type: string, text: string): void {
  response
    .writeHead(status, { 'Content-Type': type, 'Content-Length': Buffer.byteLength(text), Connection: 'close' })
    .end(text); // of HEAD it sends no body
}
