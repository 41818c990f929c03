import { Counter, Gauge, Registry } from 'prom-client';
import type { BrokerStatus } from './broker-status.ts';

/** The status in the text format of Prometheus (version 0.0.4), and its Content-Type. */
export async function metricsText(
  status: BrokerStatus,
): Promise<{ readonly contentType: string; readonly text: string }> {
  const registry = new Registry();
  const gauge = (name: string, help: string, samples: readonly Sample[]): void =>
    fill(new Gauge({ name, help, labelNames: labelsOf(samples), registers: [registry] }), samples, 'set');
  const counter = (name: string, help: string, samples: readonly Sample[]): void =>
    fill(new Counter({ name, help, labelNames: labelsOf(samples), registers: [registry] }), samples, 'inc');

  gauge('viassh_info', 'The version of the broker', [[{ version: status.version }, 1]]);
  gauge('viassh_start_time_seconds', 'When the broker began, in seconds since 1970', [[{}, status.since / 1000]]);
  const tunnels = status.tunnels.map((tunnel) => {
    const { name, plugin, via, connection } = tunnel;
    return { tunnel, labels: { name, plugin, via, connection } };
  });
  gauge(
    'viassh_tunnel_up',
    'Does the tunnel stand? Its connection may be another matter',
    tunnels.map(({ tunnel, labels }) => [labels, tunnel.state === 'up' ? 1 : 0]),
  );
  gauge(
    'viassh_tunnel_probe_ok',
    'Did the last probe of the tunnel go well?',
    tunnels.flatMap(({ tunnel, labels }): Sample[] => (tunnel.probe ? [[labels, tunnel.probe.ok ? 1 : 0]] : [])),
  );
  const connections = status.connections.map((connection) => {
    const { key, destination } = connection;
    return { connection, labels: { connection: key, destination } };
  });
  type Numbers = 'channels' | 'leases' | 'ups' | 'sent' | 'received';
  const each = (key: Numbers): readonly Sample[] =>
    connections.map(({ connection, labels }) => [labels, connection[key]]);
  gauge(
    'viassh_connection_up',
    'Is the connection up?',
    connections.map(({ connection, labels }) => [labels, connection.state === 'up' ? 1 : 0]),
  );
  gauge(
    'viassh_connection_state',
    'The state of the connection: the one that is 1',
    connections.flatMap(({ connection, labels }) =>
      states.map((state): Sample => [{ ...labels, state }, connection.state === state ? 1 : 0]),
    ),
  );
  gauge(
    'viassh_connection_round_trip_seconds',
    'The latest round trip that was measured',
    connections.flatMap(({ connection, labels }): Sample[] =>
      connection.roundTripMs === undefined ? [] : [[labels, connection.roundTripMs / 1000]],
    ),
  );
  gauge('viassh_connection_channels', 'Channels that are open', each('channels'));
  gauge('viassh_connection_leases', 'Commands that ride on the connection', each('leases'));
  counter('viassh_connection_ups_total', 'How often the connection came up', each('ups'));
  counter('viassh_connection_sent_bytes_total', 'Bytes of all channels, to the far end', each('sent'));
  counter('viassh_connection_received_bytes_total', 'Bytes of all channels, from the far end', each('received'));
  return { contentType: registry.contentType, text: await registry.metrics() };
}

type Labels = Readonly<Record<string, string>>;
type Sample = readonly [labels: Labels, value: number];

const states = ['idle', 'connecting', 'up', 'waiting', 'stopped'] as const;

function labelsOf(samples: readonly Sample[]): string[] {
  return Object.keys(samples[0]?.[0] ?? {});
}

function fill<M extends 'set' | 'inc'>(
  metric: Readonly<Record<M, (labels: Labels, value: number) => void>>,
  samples: readonly Sample[],
  how: M,
): void {
  for (const [labels, value] of samples) metric[how](labels, value);
}
