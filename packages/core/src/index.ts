export {
  type CloseOptions,
  type CloseReason,
  type Connection,
  type TcpipTarget,
} from './connection/connection.ts';
export type { ConnectionInfo, HopInfo } from './connection/connection-info.ts';
export type {
  IncomingChannel,
  IncomingChannelHandler,
  IncomingChannelType,
  Originator,
} from './connection/incoming-channel.ts';
export { type FarTidier, removeStaleFarSocket } from './connection/far-socket.ts';
export type { RemoteAddress, RemoteForwardRequest, RemoteListener } from './connection/remote-forward.ts';
export {
  longestPacket,
  type PacketChannel,
  type PacketCounters,
  type TunMode,
  type TunRequest,
} from './connection/packet-channel.ts';
export { SpareSession, type SpareSessionOptions } from './connection/spare-session.ts';
export type { Channel, SessionChannel } from './connection/channel.ts';
export {
  type PtyRequest,
  sessionEnvironment,
  type SessionRequest,
  type X11Request,
} from './connection/session-request.ts';
export { checkTcpipTarget } from './connection/check-tcpip-target.ts';
export {
  type ChannelOpening,
  channelRefused,
  forwardRefused,
  openFailure,
  requestRefused,
} from './connection/refusals.ts';
export { type OpenRefusal, whyRefused } from './connection/why-refused.ts';
export { wireSignalName } from './connection/signal-name.ts';
export { describeExit, type ExitStatus, exitCodeOf, missingCommandCode } from './connection/exit-status.ts';
export { type Bridge, type BridgeEnds, type BridgeProgress, bridge } from './connection/bridge.ts';
export { describeFarEnd, type FarEnd, farEndNeeds, openFarEnd, parseTcpFarEnd } from './connection/far-end.ts';
export { awaitHead, type HeadOptions, type HeadOutcome } from './connection/await-head.ts';
export { type StderrTail, watchStderr } from './connection/stderr-tail.ts';
export { gatherWrites } from './connection/gather-writes.ts';
export { Inbound } from './connection/inbound.ts';
export { type Pipe, type PipeOptions, pipe } from './connection/pipe.ts';

export {
  type Destination,
  checkDestination,
  checkUser,
  formatDestination,
  parseDestination,
} from './destination/destination.ts';
export { forwardedAgent, type ResolvedDestination, knownHostsName } from './destination/resolved-destination.ts';
export { describeProxy, parseProxyAddress, type ProxyAddress } from './destination/proxy-address.ts';
export type { ConfigSource } from './destination/config-source.ts';
export type { TypedOptions } from './destination/typed-options.ts';
export { sshArguments } from './destination/ssh-arguments.ts';
export { destinationOf, keepaliveSeconds, type Route, resolveRoute, withKeepalive } from './destination/route.ts';

export { dialThroughProxy, type ProxyDialOptions } from './proxy/dial-through-proxy.ts';
export type { ProxyTarget } from './proxy/proxy-failed.ts';

export { describeHostKey, fingerprint, type HostKey, parseHostKey } from './host-key/host-key.ts';
export {
  type CustomHostKeyVerifier,
  type HostKeyDecision,
  type HostKeyVerifier,
  insecureAcceptAnyHostKey,
  type KnownHostsVerifier,
  verifyByFingerprint,
  verifyByKnownHosts,
} from './host-key/host-key-verifier.ts';
export {
  formatKnownHostsLine,
  type KnownHostsEntry,
  type KnownHostsFinding,
  knownKeyTypes,
  lookUpHostKey,
  parseKnownHosts,
} from './host-key/known-hosts.ts';
export {
  hostKeyChanged,
  hostKeyRevoked,
  hostKeyUnknown,
  readKnownHosts,
  verifyKnownHost,
} from './host-key/known-hosts-files.ts';

export { type Capability, capabilities, capabilityMissing } from './connection/capability.ts';
export { type AuthenticationPrompt, type Authenticator, nobodyToAsk } from './transport/authenticator.ts';
export type {
  Availability,
  ConnectOptions,
  HandedX11,
  HandOverWishes,
  SparePolicy,
  Transport,
} from './transport/transport.ts';
export { selectTransport, type TransportEntry, type TransportSelection } from './transport/select-transport.ts';

export { type Clock, type ClockTimer, systemClock } from './supervisor/clock.ts';
export { supervise } from './supervisor/supervise.ts';
export type { SuperviseOptions } from './supervisor/supervise-options.ts';
export type { BackoffOptions } from './supervisor/backoff.ts';
export { type NetworkChange, type NetworkWatch, watchNetwork } from './supervisor/watch-network.ts';
export { shareNetworkWatch } from './supervisor/share-network-watch.ts';
export type { Supervisor, SupervisorState } from './supervisor/supervisor.ts';
export {
  type SupervisedConnection,
  supervisedConnection,
  type SupervisedConnectionOptions,
} from './supervisor/supervised-connection.ts';
export type { FarSshd } from './supervisor/far-sshd.ts';
export type { RemoteForwardState, SupervisedForward } from './supervisor/supervised-forward.ts';
export type { Traffic } from './supervisor/traffic.ts';

export type { StdioEnd } from './endpoint/stdio.ts';
export type { DeviceCounters, PacketDevice } from './endpoint/packet-device.ts';
export { announceNearEnd, formatNearEnd, type NearEnd, parseNearEnd } from './endpoint/near-end.ts';
export { serveClients, type ServeOptions } from './endpoint/serve-clients.ts';
export { admitOwnUser } from './endpoint/admit-own-user.ts';
export { type DescriptorRoom, descriptorRoom, occupyDescriptor } from './endpoint/descriptor-room.ts';
export { leave, type LeaveOptions, readAndForget } from './endpoint/leave.ts';
export { inheritListeners } from './endpoint/inherited-listeners.ts';
export { listen, type ListenOptions, type NearListener } from './endpoint/listen.ts';
export type {
  ProgramDescriptor,
  ProgramOutput,
  ProgramRequest,
  ProgramRunner,
  ProgramStdio,
  RunningProgram,
} from './program/program-runner.ts';

export {
  type Account,
  type AccountDefinition,
  type AccountLines,
  type AccountSituation,
  authorizedKeysLine,
  defineAccount,
  type KeyPermit,
} from './plugin/account.ts';
export { definePlugin } from './plugin/define-plugin.ts';
export { type OptionSpec, type OptionTable, type OptionValues, optionFlag, parseOptions } from './plugin/options.ts';
export {
  type HandOverSession,
  type LocalContext,
  type Plugin,
  pluginApiVersion,
  type PluginContext,
  type PluginDefinition,
  type PluginLifetime,
  type PreparedPlugin,
} from './plugin/plugin.ts';
export type { ProcessSignals } from './plugin/process-signals.ts';
export { defineRecipe, type Recipe, type RecipeDefinition, type RecipeSituation } from './plugin/recipe.ts';
export type {
  ProgramCall,
  ProgramFailure,
  RemoteShell,
  RemoteShellProgram,
  RemoteShellProgramEntry,
} from './plugin/remote-shell-program.ts';
export { createRegistry, type PluginEntry, type PluginRegistry } from './plugin/registry.ts';
export { runPlugin } from './plugin/run-plugin.ts';

export { type ErrorCode, type ErrorEntry, errorCodes, errorEntry } from './errors/error-codes.ts';
export {
  abortedError,
  isViasshError,
  machineBusy,
  toViasshError,
  ViasshError,
  type ViasshErrorInit,
} from './errors/viassh-error.ts';
export { sanitize } from './errors/sanitize.ts';

export { createLogger, type Logger, type LogLevel, silentLogger } from './log/logger.ts';
export { quoteCommand, quoteWord } from './quoting/posix-shell.ts';
export { quoteSystemdWord } from './quoting/systemd-word.ts';
