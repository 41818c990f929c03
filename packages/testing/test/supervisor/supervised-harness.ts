import { type Connection, silentLogger, type Transport, supervisedConnection } from '@viassh/core';
import type { ComplianceHarness, ComplianceServer } from '@viassh/testing';
import { HandSupervisor } from './hand-supervisor.ts';

/** The same harness, with a supervised connection around each connection. A loss is the end: that is what the suite wants to see. */
export function supervisedHarness(inner: ComplianceHarness): ComplianceHarness {
  return {
    ...inner,
    name: `supervised ${inner.name}`,
    transport: supervised(inner.transport),
    async serve(options) {
      const server = await inner.serve(options);
      const connect: ComplianceServer['connect'] = async (overrides) => supervise(await server.connect(overrides));
      return Object.create(server, { connect: { value: connect } }) as ComplianceServer;
    },
  };
}

function supervised(transport: Transport): Transport {
  const connect: Transport['connect'] = async (route, options) => supervise(await transport.connect(route, options));
  return Object.create(transport, { connect: { value: connect } }) as Transport;
}

function supervise(connection: Connection): Connection {
  const supervisor = new HandSupervisor();
  supervisor.up(connection);
  return supervisedConnection(supervisor, { log: silentLogger });
}
