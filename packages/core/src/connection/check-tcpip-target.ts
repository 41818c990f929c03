import { ViasshError } from '../errors/viassh-error.ts';
import type { TcpipTarget } from './connection.ts';

/** @throws ViasshError OPTION_INVALID when the target's ports or names cannot go over the wire. */
export function checkTcpipTarget({ host, port, originatorPort = 0 }: TcpipTarget): void {
  if (typeof host !== 'string' || host === '')
    throw new ViasshError('OPTION_INVALID', 'a channel to a port wants a host');
  if (!isPort(port) || !isPort(originatorPort)) {
    throw new ViasshError('OPTION_INVALID', `a port is a whole number from 0 to 65535, not ${String(port)}`);
  }
}

function isPort(value: unknown): boolean {
  return Number.isInteger(value) && Number(value) >= 0 && Number(value) <= 65535;
}
