import type { BrokerStatus, ConnectionStatus } from './broker-status.ts';
import { chosen, connectionLines, troubleLines, tunnelLines } from './status-table.ts';
import { formatAge, formatBytes } from './units.ts';

/** A status, and when it was asked for (milliseconds since 1970). */
export interface StatusSnapshot {
  readonly status: BrokerStatus;
  readonly at: number;
}

/** The terminal that is drawn on. */
export interface DrawStatusOptions {
  readonly columns: number;
  readonly rows: number;
  /** Only these tunnels, and their connections. Default: all. */
  readonly names?: readonly string[] | undefined;
}

const HOME = '\u001b[H'; // ECMA-48 §8.3.21, CUP
const TO_END_OF_LINE = '\u001b[K'; // §8.3.41, EL
const TO_END_OF_SCREEN = '\u001b[J'; // §8.3.39, ED

/**
 * One picture of `viassh status --watch`, drawn over the one before: it never scrolls. With a snapshot `before`, bytes are
 * told by the second.
 */
export function drawStatus(
  before: StatusSnapshot | undefined,
  { status, at }: StatusSnapshot,
  { columns, rows, names = [] }: DrawStatusOptions,
): string {
  const { tunnels, connections } = chosen(status, names);
  const trouble = troubleLines(tunnels, connections, at);
  const lines = [
    `viassh ${status.version}, process ${status.pid}, since ${formatAge(at - status.since)}: ${status.configFile}`,
    '',
    ...tunnelLines(tunnels, connections, at),
    '',
    ...connectionLines(connections, at, throughput(before, at)),
    ...(trouble.length === 0 ? [] : ['', ...trouble]),
  ];
  const room = Math.max(1, rows - 1); // a line end in the last row would scroll
  const shown = lines.length > room ? [...lines.slice(0, room - 1), `(${lines.length - room + 1} more lines)`] : lines;
  const text = shown.map((line) => `${[...line].slice(0, columns).join('')}${TO_END_OF_LINE}\r\n`).join('');
  return `${HOME}${text}${TO_END_OF_SCREEN}`;
}

function throughput(
  before: StatusSnapshot | undefined,
  at: number,
): (connection: ConnectionStatus) => readonly [string, string] {
  const earlier = new Map(before?.status.connections.map((connection) => [connection.key, connection]));
  const seconds = before === undefined ? 0 : (at - before.at) / 1000;
  const rate = (now: number, then: number | undefined): string => {
    if (then === undefined || seconds <= 0) return formatBytes(now);
    return `${formatBytes((now - then) / seconds)}/s`; // less than before: the broker was started anew
  };
  return ({ key, sent, received }) => {
    const then = earlier.get(key);
    return [rate(sent, then?.sent), rate(received, then?.received)];
  };
}
