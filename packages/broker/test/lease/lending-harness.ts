import { leaseConnection, serveLease } from '@viassh/broker';
import { silentLogger, type Transport } from '@viassh/core';
import { complianceAreas, type ComplianceHarness } from '@viassh/testing';
import { closingBoth, socketPair } from './lending.ts';

/** What a lease has nothing to do with: the connection stands when it begins. */
const beforeTheLease: readonly string[] = [
  'reaching the server',
  'proxies, rekeying, compression',
  'jump hosts',
  'host keys',
  'custom host key verifier',
  'login',
];

/** The areas that a lease may break. */
export const lentAreas = complianceAreas.filter(({ name }) => !beforeTheLease.includes(name));

/** Those of them in which it matters whose channels are lent; the memory transport runs all. */
export const lentBySshd = lentAreas.filter(({ name }) =>
  [
    'connection',
    'remote forwards',
    'session exit',
    'session data',
    'session requests',
    'destroy and abort',
    'connection lost',
    'connection lost with bytes unread',
    'shutdown',
    'tun',
  ].includes(name),
);

/** A transport's harness whose connections are all leases of one. */
export function lendingHarness(harness: ComplianceHarness): ComplianceHarness {
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

function lend(connect: Transport['connect']): Transport['connect'] {
  return async (...all) => {
    const connection = await connect(...all);
    const [client, server] = await socketPair();
    serveLease(server, connection, { log: silentLogger });
    return closingBoth(await leaseConnection(client), connection);
  };
}
