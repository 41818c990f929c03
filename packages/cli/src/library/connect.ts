import {
  type Authenticator,
  type Connection,
  type Destination,
  type HostKeyVerifier,
  type Logger,
  nobodyToAsk,
  silentLogger,
  type TypedOptions,
} from '@viassh/core';
import { readEnvironment } from '../environment.ts';
import { openConnection } from './open-connection.ts';

/** Options of {@link connect}: ssh's own by ssh's names, and what only a program can say. */
export interface LibraryOptions extends TypedOptions {
  /** `auto` (default): the user's OpenSSH where there is one, else in-process. */
  readonly transport?: 'auto' | 'openssh' | 'ssh2' | 'control' | undefined;
  /** The control socket of an ssh master that runs already: the connection rides on it, and nobody logs in. */
  readonly control?: string | undefined;
  readonly signal?: AbortSignal | undefined;
  /** Default: known_hosts and StrictHostKeyChecking, as ssh. */
  readonly verifyHostKey?: HostKeyVerifier | undefined;
  /** Answers for passphrases and passwords. Default: ssh asks on the terminal; in-process nobody is asked. */
  readonly authenticate?: Authenticator | undefined;
  readonly log?: Logger | undefined;
}

/**
 * Connects to `[user@]host[:port]` or `ssh://…` the way `ssh` would, with the user's ssh_config, keys, agent and
 * known_hosts. Close it with `await using` or `close()`.
 *
 * @throws ViasshError; `code` tells which, `hint` what to do.
 */
export async function connect(destination: string | Destination, options: LibraryOptions = {}): Promise<Connection> {
  const { transport = 'auto', control, signal, verifyHostKey, authenticate, log = silentLogger, ...typed } = options;
  return await openConnection(readEnvironment(), {
    destination,
    typed,
    transport,
    control,
    needs: [],
    log,
    signal,
    verifyHostKey,
    authenticate: authenticate ?? nobodyToAsk,
    alwaysAuthenticate: authenticate !== undefined,
  });
}
