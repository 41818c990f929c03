import type { Originator } from '@viassh/core';
import type { Forward } from '../forward/forward.ts';
import { listeningPlace } from './listening-place.ts';
import { describeOriginator } from './way.ts';

/** Lines of connections below one forward in a table; JSON has them all. */
const MOST_LINES = 50;

/** How one forward stands, for JSON. */
export interface ForwardStatus {
  readonly kind: string;
  readonly listening: string;
  readonly side: 'here' | 'there';
  readonly to?: string | undefined;
  readonly via: readonly string[];
  readonly accepted: number;
  readonly open: number;
  readonly refused: number;
  readonly sent: number;
  readonly received: number;
  readonly connections: readonly ConnectionStatus[];
}

/** One connection of it; the originator is null where nobody tells. */
export interface ConnectionStatus {
  readonly id: number;
  readonly originator: Originator | null;
  readonly to: string;
  readonly ageMs: number;
  readonly sent: number;
  readonly received: number;
}

export function statusReport(forwards: readonly Forward[], via: readonly string[]): readonly ForwardStatus[] {
  return forwards.map((forward) => {
    const { place, side, to } = listeningPlace(forward);
    const connections = forward.connections().map(({ id, originator, destination, since, sent, received }) => ({
      id,
      originator: originator ?? null,
      to: destination,
      ageMs: Math.round(performance.now() - since),
      sent,
      received,
    }));
    return { kind: forward.spec.kind, listening: place, side, to, via, ...forward.counters, connections };
  });
}

/** The same as a table for people: a line for each forward, and below it one for each connection. */
export function statusTable(forwards: readonly Forward[], via: readonly string[]): string {
  const rows = statusReport(forwards, via).flatMap((status) => {
    const way = `${status.listening}${status.side === 'there' ? ' there' : ''} -> ${status.to ?? 'as clients say'}`;
    const { accepted, open, refused, sent, received, connections } = status;
    const more = connections.length - MOST_LINES;
    return [
      [way, open, accepted, refused, sent, received, ''],
      ...connections
        .slice(0, MOST_LINES)
        .map((each) => [
          `  ${describeOriginator(each.originator ?? undefined)} -> ${each.to}`,
          '',
          '',
          '',
          each.sent,
          each.received,
          `${Math.floor(each.ageMs / 1000)} s`,
        ]),
      ...(more > 0 ? [[`  and ${more} more`, '', '', '', '', '', '']] : []),
    ].map((row) => row.map(String));
  });
  const header = ['FORWARD', 'OPEN', 'ACCEPTED', 'REFUSED', 'SENT', 'RECEIVED', 'AGE'];
  const widths = header.map((name, column) => Math.max(name.length, ...rows.map((row) => row[column]?.length ?? 0)));
  const line = (row: readonly string[]): string =>
    row
      .map((cell, column) => (column === 0 ? cell.padEnd(widths[0] ?? 0) : cell.padStart(widths[column] ?? 0)))
      .join('  ')
      .trimEnd();
  return `via ${via.join(' -> ')}\n${[header, ...rows].map(line).join('\n')}\n`;
}
