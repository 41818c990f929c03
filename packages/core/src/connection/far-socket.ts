import { quoteWord } from '../quoting/posix-shell.ts';
import type { Connection } from './connection.ts';

/** Milliseconds for a look at the far end: an account may answer every command with one that does not end. */
const DEADLINE = 3000;

/** What is needed of a connection to tidy up a socket of the far end. */
export type FarTidier = Pick<Connection, 'openSession' | 'openDirectStreamlocal' | 'capabilities'>;

/**
 * Takes away the file of a Unix socket on the far end that nobody listens on: sshd leaves it behind when a forward ends, and
 * then refuses the next one (StreamLocalBindUnlink is off by default there). For that it needs a command there; where it
 * may not run one, or cannot tell whether somebody listens, all stays as it is.
 *
 * Somebody listens when sshd gets through to it, or when /proc/net/unix there, or the lack of it, does not say otherwise.
 *
 * @returns whether a file was taken away; never rejects
 */
export async function removeStaleFarSocket(connection: FarTidier, path: string): Promise<boolean> {
  if (!connection.capabilities.has('exec') || !path.startsWith('/')) return false;
  const signal = AbortSignal.timeout(DEADLINE);
  try {
    if (await isAlive(connection, path, signal)) return false;
    const session = await connection.openSession({ kind: 'exec', command: removal(path), signal });
    signal.addEventListener('abort', () => session.destroy(), { once: true });
    session.on('error', ignore).resume().end();
    session.stderr.on('error', ignore).resume();
    const exit = await session.exit;
    session.destroy();
    return exit.kind === 'status' && exit.code === REMOVED;
  } catch {
    return false;
  }
}

/** An exit status that a command forced upon the account hardly has. */
const REMOVED = 77;

async function isAlive(connection: FarTidier, path: string, signal: AbortSignal): Promise<boolean> {
  if (!connection.capabilities.has('direct-streamlocal')) return false;
  try {
    const channel = await connection.openDirectStreamlocal(path, { signal });
    channel.on('error', ignore).destroy();
    return true;
  } catch {
    return false; // or not allowed to ask: the look into /proc is left
  }
}

/**
 * For any shell of the Bourne family; others fail on it, and leave the file. /proc/net/unix has a path as it was bound: written
 * in another way, or by way of a link, it is still the same file, and one that is relative may be.
 */
function removal(path: string): string {
  const script = `p=${quoteWord(path)}; [ -S "$p" ] && [ -r /proc/net/unix ] || exit 1
while read -r a b c d e f g q; do
case $q in
"$p") exit 1 ;;
/*) [ "$q" -ef "$p" ] 2>/dev/null && exit 1 ;;
"\${p##*/}" | */"\${p##*/}") exit 1 ;;
esac
done </proc/net/unix
rm -f -- "$p" && exit ${REMOVED}`;
  return `exec /bin/sh -c ${quoteWord(script)}`;
}

function ignore(): void {
  // what could not be done is left
}
