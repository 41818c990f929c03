/**
 * What `/bin/sh -c` runs as parent of ssh: `$1` is the private folder, the rest is ssh's command line.
 *
 * It ends ssh when descriptor 3 closes: the other end of that is in our process, so even SIGKILL on us ends ssh. It waits
 * for ssh itself, so the pid it kills is never somebody else's, and takes the private folder away last: signals to the
 * whole group (Ctrl-C) do not keep it from that. It repeats SIGTERM, because one that comes between ssh's look at its
 * flag and its poll() is heeded only at the next timer, and sends SIGKILL after a second, because ssh may be waiting for
 * a server that takes nothing any more. By then our channels are closed and nothing is owed to the server.
 */
export const keeperScript: string = `folder=$1; shift
trap : HUP INT QUIT TERM
"$@" 3<&- & ssh=$!
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
kill "$watch" 2>/dev/null
rm -rf -- "$folder"
exit "$status"`;
