/**
 * What `/bin/sh -c` runs as parent of a passenger: its arguments are ssh's command line. ssh has the standard descriptors,
 * and this shell lets go of them, so that their ends are ssh's own. Descriptor 3 is a pipe from our process: when that
 * closes, by us or by SIGKILL on us, ssh is ended, with SIGTERM and after a second with SIGKILL.
 */
export const passengerKeeperScript: string = `trap : HUP INT QUIT TERM
exec 4<&0 </dev/null
"$@" <&4 3<&- 4<&- & ssh=$!
exec 4<&- >/dev/null 2>&1
(
  read -r _ <&3
  signal=TERM; tries=0
  while kill -s "$signal" "$ssh"; do
    sleep 0.05; tries=$((tries + 1))
    [ "$tries" -lt 20 ] || signal=KILL
  done
) & watch=$!
exec 3<&-
while wait "$ssh"; status=$?; kill -0 "$ssh"; do :; done
kill "$watch"
exit "$status"`;
