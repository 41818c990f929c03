export type { BrokerConfig, ProbeConfig, TunnelConfig } from './config/broker-config.ts';
export { loadBrokerConfig, type LoadConfigOptions } from './config/load-broker-config.ts';
export { configFaults } from './config/config-fault.ts';
export { compareConfigs, type ConfigDifference } from './config/compare-configs.ts';
export { configSchema } from './config/config-schema.ts';
export type { BrokerStatus, ConnectionStatus, TunnelStatus } from './status/broker-status.ts';
export {
  type ControlAnswer,
  type ControlRequest,
  controlSocketName,
  controlVersion,
  type LeaseRequest,
} from './control/requests.ts';
export { type AskOptions, askBroker, failureOf, followLogs, openControl, type Question } from './control/ask-broker.ts';
export { prepareRuntimeFolder } from './control/runtime-folder.ts';
export { leaseConnection } from './lease/client/take-lease.ts';
export { leaseKey, type LeaseKeyParts } from './lease/lease-key.ts';
export { type Lease, serveLease } from './lease/server/serve-lease.ts';
export { createTunnelLogs, type TunnelLogs, type TunnelLogsOptions } from './log/tunnel-logs.ts';
export { type ProbeEnds, type ProbeResult, probeTunnel } from './probe/probe-tunnel.ts';
export { watchTunnel, type WatchTunnelOptions } from './probe/watch-tunnel.ts';
export { type Broker, startBroker, type StartBrokerOptions } from './run/start-broker.ts';
export type { BrokerWorld, ConnectDetails, ConnectionWish } from './run/broker-world.ts';
export { formatStatus } from './status/status-table.ts';
export { drawStatus, type DrawStatusOptions, type StatusSnapshot } from './status/draw-status.ts';
export { serveMetrics } from './status/serve-metrics.ts';
export { type ServiceManager, serviceManager, type ServiceManagerOptions } from './run/service-manager.ts';
export { leaseFromBroker, type LeaseOptions } from './control/lease-from-broker.ts';
