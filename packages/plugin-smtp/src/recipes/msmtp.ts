import { defineRecipe, type Recipe } from '@viassh/core';
import { relayCommand, relayOptions } from './relay-command.ts';

/**
 * msmtp calls no command but dials a Unix socket: an account for a listener that stays, and a command that starts one
 * for as long as a mail takes. What the account says of TLS and login stands against the user's own `defaults`.
 */
export const msmtpRecipe: Recipe = defineRecipe({
  program: 'msmtp',
  summary: 'msmtp: the account viassh in ~/.msmtprc, and the command ~/.local/bin/msmtp-viassh',
  options: relayOptions,
  script(situation, options) {
    const command = relayCommand(situation, options);
    return `# msmtp sends through the SMTP server behind ${situation.destination} by a command of its own, in place of msmtp:
#   msmtp-viassh -f you@example.org somebody@example.org <mail
# Its account, "viassh", is for listeners that stay as well: with
#   ${command} --listen unix:"$HOME/.msmtp-viassh"
# running, msmtp -a viassh is enough, and each mail is sent without a login of its own.
file=$HOME/.msmtprc
if ! [ -e "$file" ] && [ -e "\${XDG_CONFIG_HOME:-$HOME/.config}/msmtp/config" ]; then
  file=\${XDG_CONFIG_HOME:-$HOME/.config}/msmtp/config
fi
if grep -Eq '^[[:blank:]]*account[[:blank:]]+viassh([[:blank:]:]|$)' "$file" 2>/dev/null; then
  echo "$file has an account viassh already; it was not changed" >&2
else
  [ -e "$file" ] || (umask 077 && : >"$file")
  {
    printf '\\naccount viassh\\nhost localhost\\nsocket %s/.msmtp-viassh\\n' "$HOME"
    cat <<'END'
# ssh encrypts, and ssh has logged in.
tls off
tls_starttls off
auth off
END
  } >>"$file"
fi
mkdir -p "$HOME/.local/bin"
cat >"$HOME/.local/bin/msmtp-viassh" <<'END'
#!/bin/sh
# msmtp, and a listener for as long as it runs. 75 is a temporary failure: the caller keeps the mail.
folder=$(mktemp -d) && mkfifo "$folder/ready" || exit 75
${command} --listen "unix:$folder/s" </dev/null >"$folder/ready" &
listener=$!
trap 'kill "$listener" 2>/dev/null; wait "$listener" 2>/dev/null; rm -rf "$folder"' EXIT
trap 'exit 75' HUP INT TERM
read -r listening <"$folder/ready" || exit 75
msmtp --account=viassh --socket="$folder/s" "$@"
END
chmod 755 "$HOME/.local/bin/msmtp-viassh"
# ~/.local/bin has to be in PATH. To check, and send nothing: msmtp-viassh --serverinfo
`;
  },
});
