import type { Socket } from 'node:net';
import {
  type Connection,
  descriptorRoom,
  type FarTidier,
  formatNearEnd,
  type IncomingChannel,
  isViasshError,
  type RemoteAddress,
  type RemoteForwardRequest,
  type RemoteListener,
  removeStaleFarSocket,
  toViasshError,
  type ViasshError,
} from '@viassh/core';
import type { NearTarget, RemoteForwardSpec } from '../spec/forward-spec.ts';
import { ForwardBook } from './book.ts';
import { type Arrival, carry } from './carry.ts';
import { describeNearTarget, dialNear } from './dial-near.ts';
import type { Forward, ForwardOptions } from './forward.ts';
import type { DestinationRules } from '../negotiate/destination-rules.ts';
import { negotiate } from '../negotiate/negotiate.ts';
import type { SocksUsers } from '../negotiate/proxy-users.ts';
import { standingForward } from './standing-forward.ts';

/** Of clients that say themselves where they want to go: who may come, and where to. */
export interface ForWhom {
  readonly rules?: DestinationRules | undefined;
  readonly users?: SocksUsers | undefined;
}

/**
 * `ssh -R`: what connects to the far end gets a connection to a target that this machine dials; without one, each client
 * says in SOCKS where it wants to go. The file of a Unix socket that an earlier forward has left there is taken away, and so
 * is its own when it is closed, where the account may run a command.
 *
 * @throws ViasshError FORWARD_REFUSED, CONNECTION_LOST, CONNECTION_CLOSED, OPTION_INVALID, ABORTED
 */
export async function forwardRemote(
  connection: FarTidier & Pick<Connection, 'requestForward' | 'closed'>,
  { listen, to, ...whom }: Omit<RemoteForwardSpec, 'kind'> & ForWhom,
  { signal, onEvent }: ForwardOptions = {},
): Promise<Forward> {
  const book = new ForwardBook('far', onEvent);
  const arrivalOf = to.kind === 'socks' ? socksArrivalFor(whom) : arrivalFor(to);
  const room = await descriptorRoom(); // for what is dialled here
  let place = describePlace(listen);
  const isTold = (error: ViasshError): boolean => error.code === 'TOO_MANY_CLIENTS' && room.turnAway(place).again;
  const onIncoming = async (incoming: IncomingChannel): Promise<void> => {
    if (room.enter()) {
      await carry(book, { ...arrivalOf(incoming), isTold, left: room.leave });
      return;
    }
    const { error, again } = room.turnAway(place);
    incoming.refuse(error.message);
    book.turnedAway(error, again);
  };
  const request = (): Promise<RemoteListener> => connection.requestForward(listen, onIncoming, { signal });
  const listener = await request().catch(async (error: unknown) => {
    const mayBeStale = isViasshError(error, 'FORWARD_REFUSED') && listen.kind === 'streamlocal';
    if (!mayBeStale || !(await removeStaleFarSocket(connection, listen.path))) throw error;
    return await request();
  });
  place = describePlace(listener.address);
  let ended = false;
  void connection.closed.then(() => (ended = true));
  const stopListening = async (): Promise<void> => {
    await listener.close();
    if (listen.kind === 'streamlocal' && !ended) await removeStaleFarSocket(connection, listen.path);
  };
  return standingForward({
    connection,
    spec: { kind: 'remote', listen, to },
    address: listener.address,
    book,
    stopListening,
    stopped: listener.closed,
  });
}

function arrivalFor(target: NearTarget): (incoming: IncomingChannel) => Arrival {
  const destination = describeNearTarget(target);
  return (incoming) => ({
    originator: incoming.originator,
    async open(signal) {
      try {
        const socket = await dialNear(target, signal);
        return { channel: incoming.accept(), socket, destination };
      } catch (error) {
        incoming.refuse(toViasshError(error).message);
        throw error;
      }
    },
  });
}

/** The client there has to say first where it wants to go, so its channel is accepted before anything is dialled. */
function socksArrivalFor({ rules, users }: ForWhom): (incoming: IncomingChannel) => Arrival {
  return (incoming) => {
    const client = incoming.accept();
    return {
      originator: incoming.originator,
      client,
      async open(signal) {
        const negotiation = await negotiate(client, 'socks', { rules, users, signal });
        try {
          const socket = await dialNear(negotiation.target, signal);
          negotiation.accepted(boundOf(socket));
          return { channel: client, socket, destination: describeNearTarget(negotiation.target) };
        } catch (error) {
          negotiation.refused(toViasshError(error));
          throw error;
        }
      },
    };
  };
}

function describePlace(listen: RemoteForwardRequest | RemoteAddress): string {
  if (listen.kind === 'streamlocal') return `unix:${listen.path} there`;
  const { bindAddress: host = 'localhost', port } = listen;
  return `${formatNearEnd({ kind: 'tcp', host: host === '' ? '*' : host, port })} there`;
}

function boundOf({ localAddress, localPort }: Socket): { address: string; port: number } | undefined {
  if (localAddress === undefined || localPort === undefined) return undefined;
  return { address: localAddress, port: localPort };
}
