import { sanitize } from '@viassh/core';
import type { BrokerStatus, ConnectionStatus, TunnelStatus } from './broker-status.ts';
import { inColumns } from './columns.ts';
import { formatAge, formatBytes, formatRoundTrip } from './units.ts';

/** What `viassh status` prints; `names`: only these tunnels, and their connections. `now`: milliseconds since 1970. */
export function formatStatus(status: BrokerStatus, now: number, names: readonly string[] = []): string {
  const { tunnels, connections } = chosen(status, names);
  const blocks = [
    tunnels.length === 0 ? ['no tunnels'] : tunnelLines(tunnels, connections, now),
    ...(connections.length === 0 ? [] : [connectionLines(connections, now, totals)]),
    troubleLines(tunnels, connections, now),
  ];
  return blocks
    .filter((block) => block.length > 0)
    .map((block) => `${block.join('\n')}\n`)
    .join('\n');
}

/** The tunnels of these names (none: all), and the connections that they go through. */
export function chosen(status: BrokerStatus, names: readonly string[]): Pick<BrokerStatus, 'tunnels' | 'connections'> {
  if (names.length === 0) return status;
  const tunnels = status.tunnels.filter(({ name }) => names.includes(name));
  const keys = new Set(tunnels.map(({ connection }) => connection));
  return { tunnels, connections: status.connections.filter(({ key }) => keys.has(key)) };
}

/** One line for each tunnel, below a heading. */
export function tunnelLines(
  tunnels: readonly TunnelStatus[],
  connections: readonly ConnectionStatus[],
  now: number,
): readonly string[] {
  return inColumns([
    ['TUNNEL', 'STATE', 'SINCE', 'PLUGIN', 'VIA', 'LISTENS', 'PROBE'],
    ...tunnels.map((tunnel) => [
      sanitize(tunnel.name),
      stateOf(tunnel, connections),
      formatAge(now - tunnel.since),
      sanitize(tunnel.plugin),
      sanitize(tunnel.via),
      tunnel.listeners.map((each) => sanitize(each)).join(' ') || '-',
      tunnel.probe === undefined ? '' : tunnel.probe.ok ? 'well' : 'not well',
    ]),
  ]);
}

/** One line for each connection, below a heading; `traffic` has the last two cells. */
export function connectionLines(
  connections: readonly ConnectionStatus[],
  now: number,
  traffic: (connection: ConnectionStatus) => readonly [string, string],
): readonly string[] {
  return inColumns([
    ['CONNECTION', 'STATE', 'SINCE', 'TRANSPORT', 'ROUND TRIP', 'UPS', 'CHANNELS', 'LEASES', 'SENT', 'RECEIVED'],
    ...connections.map((connection) => [
      sanitize(connection.peer ?? connection.destination),
      connection.state,
      formatAge(now - connection.since),
      connection.transport ?? '-',
      formatRoundTrip(connection.roundTripMs),
      String(connection.ups),
      String(connection.channels),
      String(connection.leases),
      ...traffic(connection),
    ]),
  ]);
}

/** Why something is not up, and when it is tried again. */
export function troubleLines(
  tunnels: readonly TunnelStatus[],
  connections: readonly ConnectionStatus[],
  now: number,
): readonly string[] {
  return [
    ...connections.flatMap(({ state, destination, lastError, attempt, nextRetry }) => {
      if (lastError === undefined || state === 'up' || state === 'idle') return [];
      const next =
        state !== 'waiting' || nextRetry === undefined
          ? ''
          : `; attempt ${(attempt ?? 0) + 1} in ${formatAge(nextRetry - now)}`;
      return said(destination, lastError, next);
    }),
    ...tunnels.flatMap(({ state, name, lastError, probe }) => [
      ...(lastError === undefined || state === 'up' ? [] : said(name, lastError)),
      ...(probe === undefined || probe.ok ? [] : [`${sanitize(name)}: the probe says: ${sanitize(probe.said)}`]),
    ]),
  ];
}

function said(name: string, error: NonNullable<TunnelStatus['lastError']>, next = ''): readonly string[] {
  const line = `${sanitize(name)}: ${sanitize(error.code)}: ${sanitize(error.message)}${next}`;
  return error.hint === undefined ? [line] : [line, `  ${sanitize(error.hint)}`];
}

/** A tunnel stands, and its connection may be another matter. */
function stateOf(tunnel: TunnelStatus, connections: readonly ConnectionStatus[]): string {
  const connection = connections.find(({ key }) => key === tunnel.connection);
  if (tunnel.state !== 'up' || connection === undefined || connection.state === 'up') return tunnel.state;
  return connection.state === 'idle' ? 'ready' : connection.state;
}

function totals({ sent, received }: ConnectionStatus): readonly [string, string] {
  return [formatBytes(sent), formatBytes(received)];
}
