import type { ErrorCode } from '@viassh/core';
import { codeOf } from '../compliance/collect.ts';
import type { FaultArea } from './fault-case.ts';
import { type Rudeness, startRudeServer } from './rude-server.ts';

const codes: readonly (readonly [Rudeness, ErrorCode])[] = [
  ['garbage', 'PROTOCOL_ERROR'],
  ['endless lines', 'PROTOCOL_ERROR'],
  ['endless line', 'PROTOCOL_ERROR'],
  ['half a version', 'SERVER_CLOSED'],
  ['old version', 'PROTOCOL_ERROR'],
  ['version and close', 'SERVER_CLOSED'],
  ['version and reset', 'SERVER_CLOSED'],
  ['version and silence', 'CONNECT_TIMEOUT'],
  ['packet too long', 'PROTOCOL_ERROR'],
  ['kexinit and close', 'SERVER_CLOSED'],
  ['nothing in common', 'NEGOTIATION_FAILED'],
];

/** Servers that break the rules before any encryption. */
export const rudeServerArea: FaultArea = {
  name: 'rude server',
  cases: codes.map(([rudeness, code]) => ({
    name: `${rudeness}: ${code}`,
    run: async (t, { use, connect }) => {
      const server = use(await startRudeServer(rudeness));
      t.equal(
        await codeOf(connect(server, 'ConnectTimeout=1', 'ServerAliveInterval=1', 'ServerAliveCountMax=1')),
        code,
      );
      t.equal(server.visits, 1, 'it was tried once');
    },
  })),
};
