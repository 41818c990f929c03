import type { Channel, Connection } from '@viassh/core';

/**
 * A channel to a port that the far end dials, for clients of HTTP: closed as a whole when the server ends its side, as
 * their sockets are, so that none is kept that only looks open.
 */
export async function dialOver(
  connection: Pick<Connection, 'openDirectTcpip'>,
  host: string,
  port: number,
): Promise<Channel> {
  const channel = await connection.openDirectTcpip({ host: host.replace(/^\[(.*)\]$/, '$1'), port });
  channel.once('end', () => channel.destroy());
  return channel;
}
