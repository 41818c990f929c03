import type { Readable, Writable } from 'node:stream';
import { type ExitStatus, type ProgramRunner, ViasshError } from '@viassh/core';
import type { PrivateFolder } from './private-folder.ts';

/**
 * What `/bin/sh -c` runs as parent of ssh: `$1` is the private folder, then come the names of the FIFOs to be made in it,
 * `--`, and ssh's command line. On descriptor 3 it says when the FIFOs are there, and starts ssh when it is told so.
 *
 * It ends ssh when descriptor 3 closes: the other end of that is in our process, so even SIGKILL on us ends ssh. It waits
 * for ssh itself, so the pid it kills is never somebody else's, and takes the private folder away last: signals to the
 * whole group (Ctrl-C) do not keep it from that. That a terminal went away is for our process alone to heed, which may be
 * one that stays: ssh never hears of it. It repeats SIGTERM, because one that comes between ssh's look at its
 * flag and its poll() is heeded only at the next timer, and sends SIGKILL after a second, because ssh may be waiting for
 * a server that takes nothing any more. By then our channels are closed and nothing is owed to the server. Its watcher
 * goes by SIGKILL: where ssh ends at once, another signal may find it with the traps of its parent, and be lost.
 */
const keeperScript = `folder=$1; shift
trap '' HUP
trap : INT PIPE QUIT TERM
leave() { rm -rf -- "$folder"; exit "$1"; }
fifos=
while [ "$1" != -- ]; do fifos="$fifos $folder/$1"; shift; done
shift
mkfifo -m 600 $fifos || leave 1
echo made >&3
read -r _ <&3 || leave 1
exec 4<&0
"$@" <&4 3<&- 4<&- & ssh=$!
exec 4<&- </dev/null >/dev/null
(
  read -r _ <&3
  signal=TERM; tries=0
  while kill -s "$signal" "$ssh"; do
    sleep 0.05; tries=$((tries + 1))
    [ "$tries" -lt 20 ] || signal=KILL
  done
) 2>/dev/null & watch=$!
exec 3<&-
while wait "$ssh"; status=$?; kill -0 "$ssh" 2>/dev/null; do :; done
kill -s KILL "$watch" 2>/dev/null
leave "$status"`;

/** A keeper that runs. */
export interface Keeper {
  /** The streams of ssh, when they were asked for. */
  readonly stdin: Writable | undefined;
  readonly stdout: Readable | undefined;
  readonly stderr: Readable | undefined;
  /** Resolves when the FIFOs are there; ssh is not started before {@link Keeper.go}. */
  readonly made: Promise<void>;
  go(): void;
  /** Ends ssh; {@link Keeper.exited} tells when it is gone. */
  end(): void;
  /** Resolves when ssh is gone, and the private folder with it: ssh's status, or why a shell could not start it. */
  readonly exited: Promise<ExitStatus>;
}

/** What a keeper is started with. */
export interface KeeperRequest {
  readonly fifos: readonly string[];
  /** ssh and its arguments. */
  readonly command: readonly string[];
  /** Are standard input and output of ssh wanted? */
  readonly stdio: boolean;
  readonly env?: Readonly<Record<string, string>> | undefined;
}

/** @throws ViasshError PROGRAM_NOT_FOUND */
export async function startKeeper(
  programs: ProgramRunner,
  folder: PrivateFolder,
  { fifos, command, stdio, env }: KeeperRequest,
): Promise<Keeper> {
  const program = await programs.start({
    file: '/bin/sh',
    args: ['-c', keeperScript, 'viassh-keeper', folder.path, ...fifos, '--', ...command],
    stdio: stdio ? ['pipe', 'pipe', 'pipe', 'pipe'] : ['ignore', 'ignore', 'pipe', 'pipe'],
    env,
  });
  const lifetime = program.descriptor(3);
  if (lifetime === undefined) throw new ViasshError('INTERNAL', 'the keeper of ssh has no descriptor 3');
  const made = new Promise<void>((resolve) => lifetime.once('data', () => resolve()));
  lifetime.on('error', () => undefined).resume();
  return {
    stdin: program.stdin,
    stdout: program.stdout,
    stderr: program.stderr,
    made,
    go: () => void lifetime.write('go\n'),
    end: () => void lifetime.destroy(),
    exited: program.exit,
  };
}
