import { defineRecipe, type Recipe } from '@viassh/core';
import { batchArguments, domainsOf, mailServerOptions, preamble, userComments } from './mail-server-options.ts';

/**
 * postfix ≥ 3.0: a transport map and a pipe(8) of one recipient at a time. pipe(8) has the envelope in words: a
 * script makes a batch of it, and ends the batch only while pipe(8) is there; else the mail would be cut where it died.
 */
export const postfixRecipe: Recipe = defineRecipe({
  program: 'postfix',
  summary: 'postfix: a transport map and a pipe(8) in /etc/postfix',
  options: mailServerOptions,
  script(situation, options) {
    const domains = domainsOf(options);
    const whose = domains.length === 0 ? 'all domains that are not its own' : domains.join(', ');
    return `# postfix delivers mail for ${whose} through viassh. To be run as root; MAIL_CONFIG is where its configuration is.
${userComments(situation, options)}
(
${preamble(situation, options)}
command -v ps >/dev/null || { echo 'there is no ps: install procps' >&2; exit 1; }
etc=$(postconf -h config_directory)
default=$(postconf -h default_transport)
maps=$(postconf -h transport_maps) # now: once it changed main.cf, postconf waits seconds before it reads it
cat >"$etc/viassh-batch" <<END
#!/bin/sh
# viassh-batch SENDER RECIPIENT <MAIL: the mail of postfix's pipe(8) as a batch for viassh.
PATH=$path HOME=$home
export PATH HOME
END
cat >>"$etc/viassh-batch" <<'END'
case $1$2 in *[[:cntrl:]]*) echo 'a control character in an address'; exit 65 ;; esac
{
  printf 'MAIL FROM:<%s>\\nRCPT TO:<%s>\\nDATA\\n' "$1" "$2"
  # A pipe(8) that died, too, is an end of the mail: without the dot nothing is sent.
  cat && { parent=$(ps -o ppid= -p $$) || { kill $$; exit; }; } && [ $parent = "$PPID" ] && echo .
} |
END
cat >>"$etc/viassh-batch" <<END
  $viassh ${batchArguments(situation, options)}
code=\\$?
case \\$code in
  0 | 65 | 67 | 69) exit "\\$code" ;; # accepted, or refused for good
  *) exit 75 ;; # nothing that a server said: a mistake in the call, no viassh, a signal
esac
END
chmod 755 "$etc/viassh-batch"
pipe="flags=.q null_sender= user=${options.user} directory=/ argv=$etc/viassh-batch \\\${sender} \\\${recipient}"
postconf -M viassh/unix="viassh unix - n n - 5 pipe $pipe"
postconf -e viassh_destination_recipient_limit=1 viassh_time_limit=3600s
${
  domains.length === 0
    ? `postconf -e default_transport=viassh:`
    : `cat >"$etc/viassh-transport" <<'END'
${domains.map((name) => `${name.replace(/^\*/, '')} viassh:`).join('\n')}
END
[ "$default" != viassh: ] || postconf -X default_transport # of an earlier run for all mail
case $maps in
  *"texthash:$etc/viassh-transport"*) ;;
  *) postconf -e "transport_maps=\${maps:+$maps, }texthash:$etc/viassh-transport" ;;
esac`
}
)
# Then: \`postfix reload\`. \`sendmail -bv you@DOMAIN\` mails a report in which relay has to be viassh. What waits, and why:
# \`postqueue -p\`, and the mail log.
`;
  },
});
