import type { CloseReason, Connection, SupervisedConnection } from '@viassh/core';
import { ViasshError } from '@viassh/core';

/**
 * A share of a connection as it is lent: its bytes are counted with the others', and it ends with the connection that is up
 * now. Who has borrowed it is not carried over to the next: what was lost is lost, as without a broker.
 */
export function lentConnection(share: SupervisedConnection, up: Connection): Connection {
  const closed = Promise.race([share.closed, up.closed.then(asLost)]);
  const { transport, capabilities } = up;
  return {
    transport,
    capabilities,
    get info() {
      return up.info;
    },
    openSession: async (request) => await share.openSession(request),
    openDirectTcpip: async (target, options) => await share.openDirectTcpip(target, options),
    openDirectStreamlocal: async (path, options) => await share.openDirectStreamlocal(path, options),
    openTun: async (request) => await share.openTun(request),
    requestForward: async (request, handler, options) => await share.requestForward(request, handler, options),
    onIncomingChannel: (type, handler) => share.onIncomingChannel(type, handler),
    ping: async (options) => await share.ping(options),
    pipe: async (command, options) => await share.pipe(command, options),
    closed,
    close: async (options) => await share.close(options),
    [Symbol.asyncDispose]: async () => await share.close(),
  };
}

/** The supervisor closes one that it found dead: to who has borrowed it that is a loss. */
function asLost(reason: CloseReason): CloseReason {
  if (reason.kind === 'lost') return reason;
  return { kind: 'lost', error: new ViasshError('CONNECTION_LOST', 'the broker has given the connection up') };
}
