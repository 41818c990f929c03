import { isIP } from 'node:net';
import type { Field } from './fields.ts';

/**
 * The parts of `[BIND/]PORT/HOST/HOSTPORT` and `BIND/PORT`, which ssh(1) had for IPv6 addresses before it knew Unix sockets;
 * undefined for all that may be something else: a path, parts between colons. At least `fewest` parts.
 */
export function slashedFields(text: string, fewest: 2 | 3): readonly Field[] | undefined {
  const parts = text.split('/');
  if (parts.length < fewest || parts.length > 4 || parts[0] === '') return undefined; // from the root on: a path
  const [bind, port, host, hostPort] = parts.length === 3 ? [undefined, ...parts] : parts;
  if (bind !== undefined && !isIP(bind) && bind !== '*' && bind !== 'localhost') return undefined;
  if (!isPort(port) || (host !== undefined && !(isHost(host) && isPort(hostPort)))) return undefined;
  return parts.map((part) => ({ text: part, isPath: false }));
}

function isPort(text: string | undefined): boolean {
  return /^\d{1,5}$/.test(text ?? '');
}

function isHost(text: string): boolean {
  return isIP(text) !== 0 || /^[\w.-]+$/.test(text);
}
