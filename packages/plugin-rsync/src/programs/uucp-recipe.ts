import type { Recipe } from '@viassh/core';
import { readRecipeDestination } from './recipe-destination.ts';

/**
 * A pipe port that runs our remote shell, and the system behind it; in another folder than /etc/uucp a whole node.
 *
 * The port's command is run without a search in PATH, as the user uucp, and with the environment of whoever started the
 * setuid uucico: hence `env -i` for the system's node. A uucico that uucp(1) started has a PATH without node in it.
 */
export const uucpRecipe: Recipe = {
  program: 'uucp',
  summary: 'a port and a system for Taylor UUCP',
  script({ destination, remoteShell }) {
    const { user, host, port } = readRecipeDestination(destination);
    const words = [
      '-T -o BatchMode=yes',
      ...(port === undefined ? [] : [`-p ${port}`]),
      ...(user === undefined ? [] : [`-l ${user}`]),
      `-- ${host}`,
    ].join(' ');
    return `# UUCP over ssh by viassh, for Taylor UUCP. For /etc/uucp run this as root. What it reads:
#   UUCP_CONFIG    another folder: a node of its own is made there, for -I FOLDER/config and 'viassh uucp'
#   UUCP_NODENAME  what that node is called, if not as this machine
#   UUCP_SYSTEM    what the other system is called, if not as its host
#   UUCP_LOGIN, UUCP_PASSWORD  where the other side asks for them (account uucp without --login)
set -eu
folder=\${UUCP_CONFIG:-/etc/uucp}
host=${host}
system=\${UUCP_SYSTEM:-\${host%%.*}}
node=\${UUCP_NODENAME:-$(uname -n)}
node=\${node%%.*}
remote_shell=$(command -v ${remoteShell}) || { echo 'viassh-ssh is not in PATH' >&2; exit 69; }
refuse() { echo "$1" >&2; exit 64; }
for name in "$system" "$node" "\${UUCP_LOGIN:-x}"; do
  case $name in -*|*[!A-Za-z0-9._+-]*) refuse "not a name for UUCP: '$name'; set UUCP_SYSTEM, UUCP_NODENAME, UUCP_LOGIN";; esac
done
# Taylor UUCP splits at blanks and knows no quotes.
for path in "$folder" "$remote_shell" "$PATH" "\${UUCP_PASSWORD:-x}"; do
  case $path in *[[:space:]\\\\\\#]*) refuse "a blank, # or \\\\ in what UUCP has to read: '$path'";; esac
done
case $folder in /*) ;; *) refuse "UUCP_CONFIG is not an absolute path: '$folder'";; esac
[ -z "\${UUCP_LOGIN:-}" ] || [ -n "\${UUCP_PASSWORD:-}" ] || refuse 'UUCP_LOGIN wants UUCP_PASSWORD beside it'
if [ -e "$folder/sys" ] && grep -q "^[[:space:]]*system[[:space:]]*$system\\$" "$folder/sys"; then
  refuse "$folder/sys has the system $system already"
fi

if [ "$folder" = /etc/uucp ]; then
  # It runs as uucp: nothing of the environment of whoever started uucico may count.
  run="/usr/bin/env -i PATH=$PATH $remote_shell -E /var/log/uucp/viassh"
else
  run="/usr/bin/env PATH=$PATH $remote_shell -E $folder/log/viassh"
  if [ ! -e "$folder/config" ]; then
    (umask 077 && mkdir -p "$folder/spool" "$folder/public" "$folder/log" "$folder/lock")
    chmod 777 "$folder/public" # what arrives is put only where everybody may write; the folder above is closed
    cat >"$folder/config" <<END
nodename $node
spool $folder/spool
pubdir $folder/public
lockdir $folder/lock
logfile $folder/log/Log
statfile $folder/log/Stats
debugfile $folder/log/Debug
sysfile $folder/sys
portfile $folder/port
callfile $folder/call
passwdfile $folder/passwd
END
  fi
fi

chat='chat ""'
if [ -n "\${UUCP_LOGIN:-}" ]; then
  chat='chat ogin: \\L word: \\P
call-login *
call-password *'
  (umask 077 && printf '%s %s %s\\n' "$system" "$UUCP_LOGIN" "\${UUCP_PASSWORD:-}" >>"$folder/call")
fi
cat >>"$folder/port" <<END

port viassh-$system
type pipe
command $run ${words}
reliable true
END
cat >>"$folder/sys" <<END

system $system
time any
$chat
chat-timeout 30
protocol yi
port viassh-$system
END
# With -I, root becomes uucp.
if [ "$folder" != /etc/uucp ] && [ "$(id -u)" = 0 ]; then chown -R uucp: "$folder"; fi
`;
  },
};
