/**
 * How a remote command (RFC 4254 §6.10) or a local program ended. `missing`: the channel closed and nothing was said.
 */
export type ExitStatus =
  | { readonly kind: 'status'; readonly code: number }
  | { readonly kind: 'signal'; readonly signal: string; readonly coreDumped: boolean; readonly message: string }
  | { readonly kind: 'missing' };

/** Signal numbers of Linux and the BSDs alike for the names of RFC 4254 §6.10, for 128+n. */
const signalNumbers = new Map<string, number>(
  Object.entries({
    HUP: 1,
    INT: 2,
    QUIT: 3,
    ILL: 4,
    TRAP: 5,
    ABRT: 6,
    FPE: 8,
    KILL: 9,
    SEGV: 11,
    PIPE: 13,
    ALRM: 14,
    TERM: 15,
  }),
);

/**
 * The exit code that a shell would show: the status itself, 128+n for a signal, 255 when the end is unknown or the
 * signal has no number that all systems share.
 */
export function exitCodeOf(exit: ExitStatus): number {
  if (exit.kind === 'status') return exit.code & 0xff;
  if (exit.kind === 'missing') return 255;
  const number = signalNumbers.get(exit.signal.replace(/^SIG/, '')); // a Map: `toString` is a name a server may send
  return number === undefined ? 255 : 128 + number;
}

/**
 * 127 or 126 (POSIX.1-2024, Shell Command Language §2.8.2) where a remote command was not there or could not be executed,
 * from the cause of an error that has the command's `exit`. As with ssh they are the exit code.
 */
export function missingCommandCode({ cause }: { readonly cause?: unknown }): number | undefined {
  const exit = (cause as { readonly exit?: ExitStatus } | null | undefined)?.exit;
  return exit?.kind === 'status' && (exit.code === 127 || exit.code === 126) ? exit.code : undefined;
}

/** `status 7`, `signal TERM (core dumped)`, `no exit status`: for logs and messages. */
export function describeExit(exit: ExitStatus): string {
  if (exit.kind === 'status') return `status ${exit.code}`;
  if (exit.kind === 'missing') return 'no exit status';
  return `signal ${exit.signal}${exit.coreDumped ? ' (core dumped)' : ''}`;
}
