import type { Duplex } from 'node:stream';
import { abortedError, type Connection, ViasshError } from '@viassh/core';
import { FrameKind, leaseVersion } from '../wire/frame.ts';
import { FrameWire } from '../wire/frame-wire.ts';
import type { LeaseHello } from '../wire/hello.ts';
import { jsonBody } from '../wire/json-body.ts';
import { brokerGone, LeaseConnection, type LeaseConnectionOptions } from './lease-connection.ts';

/**
 * A connection of the broker's at the other end of the socket, which is the lease's from now on; resolves with the
 * broker's first word. `close()` gives back what this process has opened; the connection itself stays with the broker.
 *
 * @throws ViasshError ABORTED; PROTOCOL_ERROR when what answers lends nothing; CONNECTION_LOST
 */
export async function leaseConnection(
  socket: Duplex,
  { signal, sessionEnv }: LeaseConnectionOptions = {},
): Promise<Connection> {
  const { promise: hello, resolve, reject } = Promise.withResolvers<LeaseHello>();
  let connection: LeaseConnection | undefined;
  const early: [number, number, Buffer][] = [];
  const wire = new FrameWire(
    socket,
    { holdsBack: false },
    {
      frame(kind, id, body) {
        if (connection !== undefined) connection.frame(kind, id, body);
        else if (kind === FrameKind.hello && early.length === 0) resolve(readHello(body));
        else early.push([kind, id, body]);
      },
      ended(error) {
        reject(error ?? brokerGone());
        connection?.ended(error);
      },
    },
  );
  wire.sendJson(FrameKind.hello, 0, { version: leaseVersion });
  const onAbort = (): void => reject(abortedError(signal?.reason));
  signal?.addEventListener('abort', onAbort, { once: true });
  if (signal?.aborted === true) onAbort();
  try {
    connection = new LeaseConnection(wire, await hello, sessionEnv);
    for (const [kind, id, body] of early) connection.frame(kind, id, body);
    return connection;
  } catch (error) {
    wire.destroy();
    throw error;
  } finally {
    signal?.removeEventListener('abort', onAbort);
  }
}

function readHello(body: Buffer): LeaseHello {
  const hello = jsonBody(body);
  if (hello['version'] !== leaseVersion) {
    throw new ViasshError('PROTOCOL_ERROR', `the broker does not lend connections in version ${leaseVersion}`, {
      hint: 'it is of another version of viassh: start it anew',
    });
  }
  return hello as unknown as LeaseHello;
}
