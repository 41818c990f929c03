import type { Socket } from 'node:net';
import { createLogger, ViasshError } from '@viassh/core';
import type { BrokerConfig } from '../config/broker-config.ts';
import type { LeaseRequest } from '../control/requests.ts';
import type { ControlReply } from '../control/serve-control.ts';
import { serveLease } from '../lease/server/serve-lease.ts';
import type { BrokerWorld } from './broker-world.ts';
import type { Connections } from './connections.ts';
import { lentConnection } from './lent-connection.ts';
import type { SharedConnection } from './shared-connection.ts';

/** Milliseconds that a client may still read what came before its connection was lost. */
const LEAVE = 60_000;

/** What lending needs. */
export interface LendingWorld extends Pick<BrokerWorld, 'keyOf' | 'log' | 'clock'> {
  readonly connections: Connections;
  readonly share: BrokerConfig['share'];
}

/**
 * Lends a connection to a command. It is the one of its key, or a new one where the key that the broker finds for that
 * destination is the same. The answer comes when it is up, or cannot be had at once: then the command connects itself.
 *
 * @throws ViasshError BROKER_ABSENT when nothing is lent to this one; those of connecting
 */
export async function lend(world: LendingWorld, request: LeaseRequest, signal: AbortSignal): Promise<ControlReply> {
  if (world.share === 'no') throw new ViasshError('BROKER_ABSENT', 'the broker lends nothing (share: no)');
  const shared = await connectionFor(world, request, signal);
  const up = await shared.now(signal);
  if (shared.isAnother) {
    throw new ViasshError('BROKER_ABSENT', `the broker logged in to ${request.destination} by another ssh_config`, {
      hint: 'it was changed since: the command connects itself, until viassh down and up',
    });
  }
  const afterwards = async (socket: Socket, closing: AbortSignal): Promise<void> => {
    using _held = shared.supervisor.hold();
    await using share = shared.share({ log: world.log, waitMs: 0, needs: [], keepalive: false, lease: true });
    const lent = lentConnection(share.connection, up);
    // What a client does is its own affair.
    const quiet = createLogger('debug', (_, message) => world.log.debug(message));
    const lease = serveLease(socket, lent, { log: quiet });
    using _told = shared.supervisor.onState((state) => {
      if (state.kind !== 'stopped') return;
      lease.tellEnd(state.error === undefined ? { kind: 'closed' } : { kind: 'lost', error: state.error });
    });
    const close = (): void => void lease.close();
    closing.addEventListener('abort', close, { once: true });
    if (closing.aborted) close();
    await Promise.race([lease.closed, lent.closed]);
    const timer = world.clock.setTimeout(close, LEAVE);
    await lease.closed;
    world.clock.clearTimeout(timer);
    closing.removeEventListener('abort', close);
  };
  return { answer: { ok: true }, afterwards };
}

async function connectionFor(
  { connections, keyOf }: LendingWorld,
  { key, destination, ssh, transport }: LeaseRequest,
  signal: AbortSignal,
): Promise<SharedConnection> {
  const found = connections.find(key);
  if (found !== undefined) return found;
  const wish = { destination, ssh, transport };
  if ((await keyOf(wish, signal)) === key) return connections.get(key, wish);
  throw new ViasshError('BROKER_ABSENT', `the broker would not log in to ${destination} in the same way`, {
    hint: 'it sees another ssh_config, agent or user: the command connects itself',
  });
}
