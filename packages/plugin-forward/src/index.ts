export { forwardPlugin } from './forward-plugin.ts';
export type {
  Forward,
  ForwardCounters,
  ForwardedConnection,
  ForwardEvent,
  ForwardOptions,
} from './forward/forward.ts';
export {
  type DestinationRule,
  type DestinationRules,
  parseDestinationRule,
} from './negotiate/destination-rules.ts';
export { parseSocksUsers, type SocksUsers } from './negotiate/proxy-users.ts';
export { forwardDynamic, type DynamicForwardRequest } from './forward/forward-dynamic.ts';
export { forwardLocal } from './forward/forward-local.ts';
export { forwardRemote } from './forward/forward-remote.ts';
export type {
  DynamicForwardSpec,
  FarTarget,
  ForwardSpec,
  LocalForwardSpec,
  NearTarget,
  RemoteForwardSpec,
} from './spec/forward-spec.ts';
