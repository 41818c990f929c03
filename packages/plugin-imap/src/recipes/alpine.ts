import { defineRecipe, type Recipe } from '@viassh/core';
import { appendOnce } from './append-once.ts';
import { mailHost, mailOptions, shellCommand, undialledName } from './mail-command.ts';

/**
 * Alpine hands its ssh-command four words (path, host, user, service), splits at blanks, and does so for every server
 * without a port or /ssl: hence a command of its own that knows this one host and fails for all others. Alpine then dials
 * by itself, as it would for a host whose ssh failed: hence a name that cannot be dialled. It also hands over what the DNS
 * calls canonical, which that name is.
 */
export const alpineRecipe: Recipe = defineRecipe({
  program: 'alpine',
  summary: 'Alpine: the mailbox as {HOST}INBOX, in ~/.pinerc',
  options: mailOptions,
  script(situation, options) {
    const { host, user } = mailHost(situation);
    const name = undialledName(host);
    const address = `{${name}/user=${user ?? '$(id -un)'}}`;
    return `# Alpine reads ${address}INBOX through viassh; other IMAP servers as before.
mkdir -p "$HOME/.local/bin"
file=$HOME/.local/bin/alpine-viassh
[ -e "$file" ] || printf '#!/bin/sh\\n# Alpine calls: alpine-viassh HOST USER imap\\n' >"$file"
${appendOnce(
  `# mail of ${host} through viassh`,
  `case $1 in ${name})
  exec ${shellCommand(situation, options)} ;;
esac`,
)}chmod 755 "$file"
pinerc=$HOME/.pinerc
case $file in
*[[:space:]%]*) echo "Alpine has no way to write a blank or % in this path: $file" >&2 ;;
*)
  # Of several lines with one name Alpine takes the last.
  grep -qxF "ssh-path=$file" "$pinerc" 2>/dev/null ||
    (umask 077 && printf '\\nssh-path=%s\\nssh-command=%%s %%s %%s %%s\\nssh-open-timeout=30\\n' "$file" >>"$pinerc")
  # Where there is an inbox already, it stays.
  grep -q '^inbox-path=.' "$pinerc" || printf 'inbox-path=%s\\n' "${address}INBOX" >>"$pinerc"
  ;;
esac
# Then: alpine -f "${address}INBOX"
# When Alpine finds no such host, this says why: $HOME/.local/bin/alpine-viassh ${name} x imap </dev/null
`;
  },
});
