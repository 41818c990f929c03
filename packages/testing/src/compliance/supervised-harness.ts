import {
  type Connection,
  type ConnectOptions,
  type Route,
  silentLogger,
  supervise,
  supervisedConnection,
  type Transport,
} from '@viassh/core';
import type { ComplianceHarness } from './harness.ts';

/**
 * The same harness with a supervised connection around each connection: it has to be as good as the one inside. A loss
 * is the end there, as it is for a connection.
 */
export function supervisedHarness(inner: ComplianceHarness): ComplianceHarness {
  return {
    ...inner,
    name: `supervised ${inner.name}`,
    transport: supervised(inner.transport),
    async serve(options) {
      const server = await inner.serve(options);
      return {
        ...server,
        connect: (overrides) =>
          connectSupervised((signal) => server.connect({ ...overrides, signal }), overrides?.signal),
      };
    },
  };
}

function supervised(transport: Transport): Transport {
  const { name, capabilities, asksItself } = transport;
  return {
    name,
    capabilities,
    asksItself,
    available: () => transport.available(),
    connect: (route: Route, options: ConnectOptions) =>
      connectSupervised((signal) => transport.connect(route, { ...options, signal }), options.signal),
  };
}

async function connectSupervised(
  connect: (signal: AbortSignal) => Promise<Connection>,
  signal: AbortSignal | undefined,
): Promise<Connection> {
  const supervisor = supervise(connect, { log: silentLogger, maxStarts: 1 });
  const connection = supervisedConnection(supervisor, { log: silentLogger });
  try {
    await supervisor.current({ signal });
    return connection;
  } catch (error) {
    await connection.close();
    throw error;
  }
}
