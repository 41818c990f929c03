import { type ErrorCode, type ExitStatus, ViasshError } from '@viassh/core';
import { causeWith, withExit } from './far-program.ts';

/** What pppd's exit codes say (pppd(8), EXIT STATUS), and what they are for us. */
const meanings: Readonly<Record<number, readonly [ErrorCode, string]>> = {
  1: ['PPP_FAILED', 'something fatal happened to it, as a system call that failed'],
  2: ['FAR_LINK_MISSING', 'it does not take its options'],
  3: ['FAR_LINK_MISSING', 'it is not setuid-root, and was not started by root'],
  4: ['FAR_LINK_MISSING', 'the kernel there has no PPP'],
  5: ['PPP_FAILED', 'it was ended by a signal'],
  6: ['PPP_FAILED', 'it could not lock the serial port'],
  7: ['PPP_FAILED', 'it could not open the serial port'],
  8: ['PPP_FAILED', 'its connect script failed'],
  9: ['PPP_FAILED', 'the command of its pty option could not be run'],
  10: ['PPP_FAILED', 'the two ends agreed on no network protocol'],
  11: ['PPP_AUTH_FAILED', 'it does not accept who we say we are'],
  12: ['PPP_FAILED', 'the link was idle'],
  13: ['PPP_FAILED', 'the time of the link was over'],
  14: ['PPP_FAILED', 'it wanted to call back'],
  15: ['PPP_SILENT', 'we did not answer its echo requests'],
  16: ['PPP_FAILED', 'the line was hung up'],
  17: ['PPP_LOOPED', 'it saw its own packets'],
  18: ['PPP_FAILED', 'its init script failed'],
  19: ['PPP_AUTH_FAILED', 'we do not accept who it says it is'],
  20: ['PPP_FAILED', 'the traffic limit of the link was reached'],
  21: ['PPP_AUTH_FAILED', 'it does not serve callers from here'],
};

/** pppd's status in words; undefined for one that pppd(8) does not know. */
export function pppdWords(exit: ExitStatus): string | undefined {
  return exit.kind === 'status' ? meanings[exit.code]?.[1] : undefined;
}

/** Statuses that only say that we have hung up. */
const hungUp: ReadonlySet<number> = new Set([5, 16]);

/**
 * Why a pppd that ended with `exit` is no other end for us. `cause` is what it looked like from here: where that knows
 * better, it stays, and pppd's word stands behind it.
 */
export function pppdFailure(exit: ExitStatus, said: string, cause: ViasshError): ViasshError {
  if (exit.kind === 'missing') return cause;
  if (exit.kind === 'signal') return withExit(cause, 'pppd of the far end', exit, said);
  const { code } = exit;
  if (code === 127 || code === 126) {
    return new ViasshError('FAR_LINK_MISSING', `the far end has no pppd that this account may run (status ${code})`, {
      hint: 'install the package ppp there, and let the account run it: adduser NAME dip',
      cause: causeWith(cause, exit),
    });
  }
  const meaning = meanings[code];
  if (meaning === undefined) return withExit(cause, 'pppd of the far end', exit, said);
  const [error, words] = meaning;
  if (cause.code !== 'PPP_SILENT' && (cause.hint !== undefined || hungUp.has(code))) {
    const told = hungUp.has(code) ? '' : `; pppd of the far end: ${words} (status ${code})`;
    return new ViasshError(cause.code, `${cause.message}${told}`, { hint: cause.hint, cause: causeWith(cause, exit) });
  }
  return new ViasshError(error, `pppd of the far end: ${words} (status ${code})${said === '' ? '' : `: ${said}`}`, {
    hint: hintFor(code, said),
    cause: causeWith(cause, exit),
  });
}

function hintFor(code: number, said: string): string {
  if (code === 2 && /privileged|noauth/.test(said))
    return 'an account without root proves who it is: --name and --secret-file here, a line in pap-secrets there (viassh account ppp)';
  if (code === 3) return 'there: chmod u+s /usr/sbin/pppd, and the account in the group dip';
  if (code === 4) return 'there: modprobe ppp_generic ppp_async; or take --far viassh, tun or slirp';
  if (code === 10)
    return 'pap-secrets or chap-secrets there may not permit the address: its fourth column; --address names another';
  if (code === 11) return 'compare --name and the secret here with pap-secrets and chap-secrets there';
  return '-v shows what it said; more stands in the system log there';
}
