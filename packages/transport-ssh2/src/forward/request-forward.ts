import {
  forwardRefused,
  type IncomingChannelHandler,
  type RemoteAddress,
  type RemoteForwardRequest,
  type RemoteListener,
  ViasshError,
} from '@viassh/core';
import type { ChannelHost } from '../channel-host.ts';
import { globalCall } from '../global-call.ts';
import { sendGlobalRequest } from '../ssh2-private/global-request.ts';
import type { Field } from '../ssh2-private/payload.ts';
import type { ForwardTable } from './forward-table.ts';

const CANCEL_DEADLINE = 5000; // milliseconds until a server that does not answer is left to itself

/** Who asks for a remote forward, and where it is kept. */
export interface ForwardSetup {
  readonly table: ForwardTable;
  readonly handler: IncomingChannelHandler;
  readonly signal?: AbortSignal | undefined;
}

/**
 * Has the server listen for us, by a global request (RFC 4254 §7.1, PROTOCOL §2.4). When it was aborted meanwhile, what
 * the server grants afterwards is cancelled.
 *
 * @throws ViasshError FORWARD_REFUSED, OPTION_INVALID, ABORTED; when the connection ends, why it did
 */
export async function requestForward(
  host: ChannelHost,
  request: RemoteForwardRequest,
  { table, handler, signal }: ForwardSetup,
): Promise<RemoteListener> {
  const asked = addressOf(request);
  let listener: RemoteListener | undefined;
  await globalCall(host, {
    name: requestName(asked),
    fields: fieldsOf(asked),
    signal,
    onReply(data, late) {
      const address = data === undefined ? undefined : granted(asked, data);
      if (address === undefined) return;
      // before the reply is out of our hands: the first channel may stand behind it in the same read
      if (late) cancelQuietly(host, address);
      else listener = makeListener(host, address, table.add({ address, handler }));
    },
  });
  if (listener === undefined) throw forwardRefused(request);
  return listener;
}

function makeListener(host: ChannelHost, address: RemoteAddress, forget: () => void): RemoteListener {
  const gone = Promise.withResolvers<void>();
  let closing: Promise<void> | undefined;
  const onEnd = (): void => {
    forget();
    cancelQuietly(host, address); // while it drains, the server need not listen on
    gone.resolve();
  };
  host.ended.addEventListener('abort', onEnd, { once: true });
  const cancel = async (): Promise<void> => {
    forget();
    const signal = AbortSignal.timeout(CANCEL_DEADLINE);
    await globalCall(host, { name: `cancel-${requestName(address)}`, fields: fieldsOf(address), signal }).catch(
      () => undefined,
    );
    host.ended.removeEventListener('abort', onEnd);
    gone.resolve();
  };
  const close = (): Promise<void> => (closing ??= cancel());
  return { address, close, closed: gone.promise, [Symbol.asyncDispose]: close };
}

/** Nobody waits for the reply. */
function cancelQuietly({ client }: ChannelHost, address: RemoteAddress): void {
  sendGlobalRequest(client, `cancel-${requestName(address)}`, fieldsOf(address), () => undefined);
}

/** The port that the server chose stands in its reply. */
function granted(asked: RemoteAddress, reply: Buffer): RemoteAddress | undefined {
  if (asked.kind === 'streamlocal' || asked.port !== 0) return asked;
  return reply.length < 4 ? undefined : { ...asked, port: reply.readUInt32BE(0) };
}

/** As ssh's -R: `*` is every address, spelled as the empty one; none is localhost. */
function addressOf(request: RemoteForwardRequest): RemoteAddress {
  if (request.kind === 'streamlocal') {
    if (request.path === '' || request.path.includes('\0'))
      throw new ViasshError('OPTION_INVALID', 'a forward of a Unix socket wants a path');
    return { kind: 'streamlocal', path: request.path };
  }
  const { bindAddress = 'localhost', port } = request;
  if (!Number.isInteger(port) || port < 0 || port > 65535)
    throw new ViasshError('OPTION_INVALID', `a port is a whole number from 0 to 65535, not ${String(port)}`);
  return { kind: 'tcpip', bindAddress: bindAddress === '*' ? '' : bindAddress, port };
}

function requestName({ kind }: RemoteAddress): string {
  return kind === 'tcpip' ? 'tcpip-forward' : 'streamlocal-forward@openssh.com';
}

function fieldsOf(address: RemoteAddress): Field[] {
  return address.kind === 'tcpip' ? [address.bindAddress, address.port] : [address.path];
}
