import type { Connection } from '../connection/connection.ts';
import { quoteWord } from '../quoting/posix-shell.ts';

/** Milliseconds for a command there: an account may answer every one with something that does not end. */
const DEADLINE = 10_000;
/** Bytes of an answer; ours are shorter. */
const LONGEST = 512;

/**
 * The process of the far end that serves one connection of ours, and listens there for it. A process id may be another's
 * later: with the start time (clock ticks since boot, proc(5)) and the boot's id it is this process or none.
 */
export interface FarSshd {
  readonly pid: number;
  readonly started: string;
  readonly boot: string;
}

/**
 * What became of it. `spared`: it is the one that serves the connection on which we asked. `unknown`: no command may be run
 * there, or it could not be ended.
 */
export type Eviction = 'ended' | 'gone' | 'spared' | 'unknown';

/** What is needed of a connection to run a command. */
export type CommandRunner = Pick<Connection, 'openSession' | 'capabilities'>;

/**
 * Finds the sshd (or dropbear) that serves this very connection. Takes a command there, and /proc: on an account or a
 * system without them there is none to find.
 *
 * @returns undefined where it cannot be told; never rejects
 */
export async function findFarSshd(connection: CommandRunner, signal?: AbortSignal): Promise<FarSshd | undefined> {
  const answer = await answerOf(connection, finding, signal);
  const [, pid, started, boot] = /^viassh-sshd (\d+) (\d+) ([0-9a-f-]+)\n$/.exec(answer) ?? [];
  if (pid === undefined || started === undefined || boot === undefined) return undefined;
  return { pid: Number(pid), started, boot };
}

/**
 * Ends exactly that process, when it is still there, and when it is not the one behind this connection. It is asked first
 * (TERM), as it has things to tidy up; a second later it is made to (KILL).
 *
 * @returns never rejects
 */
export async function endFarSshd(connection: CommandRunner, sshd: FarSshd, signal?: AbortSignal): Promise<Eviction> {
  const answer = await answerOf(connection, evicting(sshd), signal);
  const [, outcome] = /^viassh-evicted (ended|gone|spared)\n$/.exec(answer) ?? [];
  return (outcome as Eviction | undefined) ?? 'unknown';
}

/** Of a line of /proc/PID/stat: `$1` is the state, `$2` the parent, `${20}` the start time; the name before may hold anything. */
const statOf =
  'stat_of() { s=$(cat "/proc/$1/stat" 2>/dev/null) || return 1; set -- ${s##*) }; state=$1 parent=$2 started=${20}; }';

const readBoot = 'read -r boot </proc/sys/kernel/random/boot_id || exit 1';

/** `$p`: the sshd that runs us; between it and us there may be shells of the account. */
const climb = [
  'p=$PPID n=0',
  'while read -r name <"/proc/$p/comm"; do case $name in sshd*|dropbear*) break;; esac; n=$((n+1)); [ "$n" -lt 6 ] && stat_of "$p" && p=$parent || exit 1; done',
].join('; ');

const finding = [statOf, readBoot, climb, 'stat_of "$p" && echo "viassh-sshd $p $started $boot"'].join('; ');

function evicting({ pid, started, boot }: FarSshd): string {
  return [
    statOf,
    readBoot,
    climb,
    `same() { stat_of ${pid} && [ "$state" != Z ] && [ "$started" = ${quoteWord(started)} ]; }`,
    'wait_for() { n=0; while same && [ "$n" -lt 10 ]; do n=$((n+1)); sleep 0.1 2>/dev/null || sleep 1; done; }',
    `[ "$boot" = ${quoteWord(boot)} ] && same || { echo viassh-evicted gone; exit; }`,
    `[ "$p" = ${pid} ] && { echo viassh-evicted spared; exit; }`,
    `kill -TERM ${pid} && wait_for && same && kill -KILL ${pid} && wait_for`,
    'same || echo viassh-evicted ended',
  ].join('; ');
}

/** What a script says there; the empty string when it cannot be run. */
async function answerOf(connection: CommandRunner, script: string, caller?: AbortSignal): Promise<string> {
  if (!connection.capabilities.has('exec')) return '';
  const timeout = AbortSignal.timeout(DEADLINE);
  const signal = caller === undefined ? timeout : AbortSignal.any([caller, timeout]);
  try {
    const session = await connection.openSession({
      kind: 'exec',
      command: `exec /bin/sh -c ${quoteWord(script)}`,
      signal,
    });
    const giveUp = (): void => void session.destroy();
    signal.addEventListener('abort', giveUp, { once: true });
    session.on('error', ignore).end();
    session.stderr.on('error', ignore).resume();
    let answer = '';
    session.setEncoding('latin1');
    session.on('data', (text: string) => {
      answer += text;
      if (answer.length > LONGEST) giveUp();
    });
    await session.exit;
    if (!session.readableEnded && !session.destroyed)
      await new Promise((resolve) => void session.once('close', resolve));
    session.destroy();
    signal.removeEventListener('abort', giveUp);
    return answer;
  } catch {
    return '';
  }
}

function ignore(): void {
  // what could not be done is left
}
