/**
 * slirp on the terminal of the session, which has to be raw: it reads and writes one descriptor. Plain `slirp` is the
 * broken one on 64-bit systems, so it comes last.
 */
export const slirpCommand: string =
  'stty raw -echo 2>/dev/null; for slirp in slirp-fullbolt slirp; do ' +
  'if command -v $slirp >/dev/null 2>&1; then exec $slirp ppp "asyncmap 0"; fi; done; exit 127';

/** slirp knows one network alone (slirp(1)): itself, and who speaks with it. */
export const slirpAddress = '10.0.2.2';
