import type { Connection } from '../connection/connection.ts';
import type { ExitStatus } from '../connection/exit-status.ts';
import type { SessionRequest } from '../connection/session-request.ts';
import type { Route } from '../destination/route.ts';
import type { HostKeyVerifier } from '../host-key/host-key-verifier.ts';
import type { Logger } from '../log/logger.ts';
import type { ProgramStdio } from '../program/program-runner.ts';
import type { Authenticator } from './authenticator.ts';
import type { Capability } from '../connection/capability.ts';

export type SparePolicy = boolean | 'kept';

/** What one call of {@link Transport.connect} needs beside the route. */
export interface ConnectOptions {
  readonly signal?: AbortSignal | undefined;
  /** Decides on every host key of the route. There is no default: no verifier, no connection. */
  readonly verifyHostKey: HostKeyVerifier;
  /** Undefined: the transport asks as its nature is (ssh asks on the terminal or by SSH_ASKPASS), or nobody. */
  readonly authenticate?: Authenticator | undefined;
  readonly log: Logger;
  /**
   * May a session channel be opened ahead of its use, once a first one was used? Then the next command waits one round
   * trip less. Default: true. Off for a connection that runs one command, or only forwards. `kept`: the first command finds
   * one, too, and it is not closed for idleness; it takes one of the server's MaxSessions for as long.
   */
  readonly spareSession?: SparePolicy | undefined;
}

/** Whether a transport can run on this machine, with the reason in words. */
export type Availability =
  | { readonly ok: true; readonly detail: string }
  | { readonly ok: false; readonly reason: string };

/** What the ssh process is asked for beside the session, in its own way. */
export interface HandOverWishes {
  readonly x11?: HandedX11 | undefined;
}

/** X11 as ssh makes it: cookies, their timeout, and what becomes of a refusal are its own. */
export interface HandedX11 {
  /** True: as `ssh -Y`. False: as `ssh -X` is meant, also where the configuration says ForwardX11Trusted. */
  readonly trusted: boolean;
  /** ForwardX11Timeout, seconds; 0: none. */
  readonly timeout: number;
  /** DISPLAY of the ssh process. */
  readonly display: string;
  /** XAUTHORITY of the ssh process; undefined: none, not even ours. */
  readonly xauthority?: string | undefined;
}

/** Makes connections. No retries, no events, no reading of configuration. */
export interface Transport {
  readonly name: string;
  readonly capabilities: ReadonlySet<Capability>;
  /** True when it asks for passphrases and passwords by its own means where no Authenticator is given, as ssh does. */
  readonly asksItself?: boolean;
  /** Can it run on this machine? Looks, and dials nothing. */
  available(): Promise<Availability>;
  /** Loads what {@link connect} will run, for a caller who has yet to wait for the route. Dials nothing. */
  prepare?(): Promise<void>;
  /**
   * @throws ViasshError of the groups "reaching the server", "who the server is", "who we are"; SETTING_UNSUPPORTED
   * before anything is dialled; ABORTED.
   */
  connect(route: Route, options: ConnectOptions): Promise<Connection>;
  /**
   * The handed-over way: the ssh process gets the caller's own descriptors and no byte passes through JavaScript.
   * Absent where a transport has no process to hand them to.
   */
  handOver?(
    route: Route,
    request: SessionRequest,
    stdio: ProgramStdio,
    options: Omit<ConnectOptions, 'verifyHostKey'> & HandOverWishes,
  ): Promise<ExitStatus>;
}
