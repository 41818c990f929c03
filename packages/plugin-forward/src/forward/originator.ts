import type { Socket } from 'node:net';
import type { Originator } from '@viassh/core';

/** Who connected; undefined for a Unix socket, and for a client that has gone again. */
export function originatorOf({ remoteAddress, remotePort }: Socket): Originator | undefined {
  if (remoteAddress === undefined || remotePort === undefined) return undefined;
  // a listener for both families shows addresses of IPv4 in their form of IPv6
  return { address: remoteAddress.replace(/^::ffff:(?=\d+\.)/i, ''), port: remotePort };
}
