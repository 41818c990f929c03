import { createHash, randomBytes } from 'node:crypto';
import { type RemoteForwardRequest, ViasshError } from '@viassh/core';
import type { ForwardEnd } from '../mux/control-client.ts';

const NAME_BYTES = 6;

/** What the master is asked to have listened on, in ssh's own forms: `` (localhost), `*` (every address), an address. */
export function listenEnd(request: RemoteForwardRequest): ForwardEnd {
  if (request.kind === 'streamlocal') return { path: request.path };
  const { bindAddress = 'localhost', port } = request;
  return { host: bindAddress === '' ? '*' : bindAddress, port };
}

/**
 * The name of our socket behind a forward, below a folder of one master. The same place has the same name: a master that was
 * refused a place keeps in mind for ever where that was to lead, and takes connections of a later forward there. Forwards
 * to a port that the server chooses are told apart by nothing but their socket.
 */
export function socketName(listen: ForwardEnd): string {
  const isChosenByServer = 'port' in listen && listen.port === 0;
  const hash = isChosenByServer
    ? randomBytes(NAME_BYTES)
    : createHash('sha256').update(JSON.stringify(listen)).digest().subarray(0, NAME_BYTES);
  return `r-${hash.toString('base64url')}`;
}

/** @throws ViasshError OPTION_INVALID for what cannot go over the wire */
export function checkForwardRequest(request: RemoteForwardRequest): void {
  const text = request.kind === 'streamlocal' ? request.path : (request.bindAddress ?? '');
  if (typeof text !== 'string' || text.includes('\0') || (request.kind === 'streamlocal' && text === '')) {
    throw new ViasshError('OPTION_INVALID', `the server cannot listen on ${JSON.stringify(text)}`, {
      hint: 'an address is a name or a number, a path is not empty; neither has a NUL byte',
    });
  }
  if (request.kind === 'tcpip' && !(Number.isInteger(request.port) && request.port >= 0 && request.port <= 65535)) {
    throw new ViasshError('OPTION_INVALID', `a port is a whole number from 0 to 65535, not ${String(request.port)}`);
  }
}
