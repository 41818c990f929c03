/** The arguments of one call of the remote shell, read. */
export interface RemoteShellCall {
  /** What ssh itself would be given: options, `--`, host, command. */
  readonly sshArguments: readonly string[];
}

/**
 * Reads what a program gives its remote shell, as ssh(1) reads its arguments.
 *
 * @throws ViasshError USAGE, DESTINATION_INVALID, OPTION_INVALID
 */
export function readRemoteShellCall(argv: readonly string[]): RemoteShellCall {
  return { sshArguments: argv };
}
