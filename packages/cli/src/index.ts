export { connect, type LibraryOptions } from './library/connect.ts';
export { rsync, scp } from './library/copy-files.ts';
export { sendmailOver } from './library/send-mail.ts';
export type { MailerTransport, SendError, SendmailOptions, SentMail } from './builtin.ts';
export { imapOver } from './library/read-mail.ts';
export { forwardDynamic, forwardLocal, forwardRemote } from './library/forwards.ts';
export { x11, x11ByForward } from './library/x11.ts';
export type { X11ByForward, X11Display, X11DisplayOptions, X11Event, X11Forward } from './builtin.ts';
export { agentOver, type AgentsOver } from './library/agent-over.ts';
export { dispatcherOver, type FetchDispatcher } from './library/dispatcher-over.ts';
export type {
  DestinationRule,
  DestinationRules,
  DynamicForwardRequest,
  Forward,
  ForwardCounters,
  ForwardedConnection,
  ForwardEvent,
  ForwardOptions,
  LocalForwardSpec,
  RemoteForwardSpec,
  SocksUsers,
} from './builtin.ts';
export type {
  ImapOverOptions,
  RemoteFile,
  Rsync,
  RsyncOptions,
  RsyncProgress,
  RsyncStatistics,
  Scp,
  ScpFailure,
  ScpOptions,
} from './builtin.ts';
export {
  type Authenticator,
  bridge,
  type Channel,
  type CloseReason,
  type Connection,
  type ConnectionInfo,
  createLogger,
  type ErrorCode,
  type ExitStatus,
  exitCodeOf,
  type HostKeyVerifier,
  insecureAcceptAnyHostKey,
  isViasshError,
  type Logger,
  type Pipe,
  type PipeOptions,
  quoteCommand,
  quoteWord,
  type SessionChannel,
  type TypedOptions,
  verifyByFingerprint,
  verifyByKnownHosts,
  ViasshError,
} from '@viassh/core';
