import { leaseConnection, serveLease } from '@viassh/broker';
import { silentLogger, type Transport } from '@viassh/core';
import type { ComplianceHarness } from '@viassh/testing';
import { closingBoth, socketPair } from './lending.ts';

/** A transport's harness whose connections are all leases of one. */
export function lendingHarness(harness: ComplianceHarness): ComplianceHarness {
  const lend = (connect: Transport['connect']): Transport['connect'] => {
    return async (...all) => {
      const connection = await connect(...all);
      const [client, server] = await socketPair();
      serveLease(server, connection, { log: silentLogger });
      return closingBoth(await leaseConnection(client), connection);
    };
  };
  const { transport } = harness;
  return {
    ...harness,
    name: `lease of ${harness.name}`,
    transport: Object.assign(Object.create(transport) as Transport, {
      connect: lend(transport.connect.bind(transport)),
    }),
    async serve(options) {
      const server = await harness.serve(options);
      const connect = lend((_route, overrides) => server.connect(overrides));
      const { route } = server;
      return {
        ...server,
        connect: (overrides) => connect(route, overrides as Parameters<Transport['connect']>[1]),
        [Symbol.asyncDispose]: () => server[Symbol.asyncDispose](),
      };
    },
  };
}
