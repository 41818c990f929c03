import { defineRecipe, type Recipe } from '@viassh/core';
import { appendOnce } from './append-once.ts';
import { inAddress, mailHost, mailOptions, shellCommand, undialledName } from './mail-command.ts';

/** In the order in which each looks for its configuration: a new file must not hide the one that is there. */
const places = {
  mutt: ['$HOME/.muttrc', '$HOME/.mutt/muttrc', '${XDG_CONFIG_HOME:-$HOME/.config}/mutt/muttrc'],
  neomutt: [
    '${XDG_CONFIG_HOME:-$HOME/.config}/neomutt/neomuttrc',
    '${XDG_CONFIG_HOME:-$HOME/.config}/neomutt/muttrc',
    '${XDG_CONFIG_HOME:-$HOME/.config}/mutt/neomuttrc',
    '${XDG_CONFIG_HOME:-$HOME/.config}/mutt/muttrc',
    '$HOME/.neomutt/neomuttrc',
    '$HOME/.neomutt/muttrc',
    '$HOME/.mutt/neomuttrc',
    '$HOME/.mutt/muttrc',
    '$HOME/.neomuttrc',
    '$HOME/.muttrc',
  ],
} as const;

export const muttRecipe: Recipe = recipeOf('mutt', 'Mutt');
export const neomuttRecipe: Recipe = recipeOf('neomutt', 'NeoMutt');

/**
 * An account-hook: `tunnel` alone would lead every IMAP server's connections to this one. Between single quotes both read
 * as sh does.
 */
function recipeOf(program: keyof typeof places, name: string): Recipe {
  return defineRecipe({
    program,
    summary: `${name}: the mailbox as imap://HOST/, in its configuration file`,
    options: mailOptions,
    script(situation, options) {
      const { host } = mailHost(situation);
      const address = program === 'neomutt' ? undialledName(host) : inAddress(host);
      const line = `set tunnel=${quoted(shellCommand(situation, options))}`;
      const pattern = `^imap://([^/@]*@)?${address.replace(/[.+[\]]/g, '\\$&')}(:|/|$)`;
      return `# ${name} reads imap://${address}/ through viassh; other IMAP servers as before.
file=$HOME/.${program}rc
for found in ${places[program].map((place) => `"${place}"`).join(' ')}; do
  if [ -e "$found" ]; then file=$found; break; fi
done
# Servers without a hook of their own get no tunnel. It stands before all others, or they are somebody's own affair.
grep -qsE 'tunnel([^_]|$)' "$file" ||
  (umask 077 && printf "\\naccount-hook . 'unset tunnel'\\n" >>"$file")
${appendOnce(
  `# mail of ${address} through viassh`,
  `# ssh encrypts: a server that greets as logged in is what we want.
set tunnel_is_secure=yes
account-hook ${quoted(pattern)} ${quoted(line)}
${program === 'neomutt' ? neomuttFirst(address, line) : ''}\
set spoolfile='imap://${address}/INBOX' folder='imap://${address}/'`,
)}# Then: ${program} -Z says so when there is no new mail, and else opens the inbox.
# It needs a key without a passphrase or an agent: nobody is asked. What went wrong is said by
#   ${shellCommand(situation, options)} -v </dev/null
`;
    },
  });
}

/**
 * NeoMutt (20220429, for one) decides between tunnel and TCP when it hears of an account, before the hooks, and for TCP
 * when the tunnel failed once: hence this order, and a name that cannot be dialled.
 */
function neomuttFirst(address: string, line: string): string {
  return `# NeoMutt decides here whether this server has a tunnel; the hooks say which.
${line}
mailboxes imap://${address}/INBOX
unset tunnel
`;
}

function quoted(text: string): string {
  return `'${text.replaceAll("'", `'\\''`)}'`;
}
