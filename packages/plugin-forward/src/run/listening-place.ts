import { describeFarEnd, formatNearEnd } from '@viassh/core';
import type { Forward } from '../forward/forward.ts';

/** Where a forward listens and where it leads, for lines and tables. */
export interface ListeningPlace {
  /** `tcp:HOST:PORT` or `unix:PATH`: of the machine that `side` says. */
  readonly place: string;
  readonly host?: string | undefined;
  readonly port?: number | undefined;
  readonly path?: string | undefined;
  readonly side: 'here' | 'there';
  /** `host:port` or a path, dialled from the other side; undefined where each client says it. */
  readonly to?: string | undefined;
  /** How clients say where they want to go. */
  readonly protocol?: 'socks' | 'http' | undefined;
}

export function listeningPlace({ spec, address }: Pick<Forward, 'spec' | 'address'>): ListeningPlace {
  const leadsTo =
    spec.kind === 'dynamic'
      ? { protocol: spec.protocol }
      : spec.to.kind === 'socks'
        ? { protocol: 'socks' as const }
        : { to: describeFarEnd(spec.to) };
  const side = spec.kind === 'remote' ? 'there' : 'here';
  if (address.kind === 'unix' || address.kind === 'streamlocal') {
    const { path } = address;
    return { place: `unix:${path}`, path, side, ...leadsTo };
  }
  const { port } = address;
  const named = address.kind === 'tcp' ? address.host : address.bindAddress;
  const host = named === '' ? '*' : named;
  return { place: formatNearEnd({ kind: 'tcp', host, port }), host, port, side, ...leadsTo };
}

/** `listening on tcp:127.0.0.1:8080 for web:80 there`, without a line end. */
export function describeListening({ place, side, to, protocol }: ListeningPlace): string {
  const where = side === 'there' ? `${place} there` : place;
  if (to === undefined) return `listening on ${where} for ${protocol === 'http' ? 'HTTP CONNECT' : 'SOCKS'}`;
  return `listening on ${where} for ${to} ${side === 'there' ? 'here' : 'there'}`;
}
