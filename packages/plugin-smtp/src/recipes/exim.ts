import { defineRecipe, type Recipe } from '@viassh/core';
import { batchArguments, domainsOf, mailServerOptions, preamble, userComments } from './mail-server-options.ts';

/** Node's own codes (a file that is missing, a Node too old), those of sysexits(3) but the final ones, of a shell, of ssh. */
const nodes: readonly number[] = Array.from({ length: 14 }, (_, index) => index + 1);
const others: readonly number[] = [64, 66, 68, 70, 71, 72, 73, 74, 75, 76, 77, 78, 126, 127, 129, 130, 134, 137, 139];
const temporary: string = nodes.concat(others, [141, 143, 255]).join(' : ');

/**
 * exim 4: a router for the domains and a pipe transport that speaks batched SMTP. One recipient a batch (exim's own
 * default), as the exit code of a pipe is the fate of all of them. What ends by a signal is frozen: whether the far
 * end took it is not known. No mail comes back for what the machine or the call has wrong: 65, 67 and 69 alone are final.
 */
export const eximRecipe: Recipe = defineRecipe({
  program: 'exim',
  summary: 'exim 4: a router and a pipe transport in /etc/exim4',
  options: mailServerOptions,
  script(situation, options) {
    const domains = domainsOf(options);
    const whose = domains.length === 0 ? 'all domains that are not its own' : domains.join(', ');
    return `# exim delivers mail for ${whose} through viassh. To be run as root; EXIM_ETC is where its configuration is.
${userComments(situation, options)}
(
${preamble(situation, options)}
etc=\${EXIM_ETC:-/etc/exim4}
new=$(mktemp -d)
trap 'rm -rf "$new"' EXIT
cat >"$new/router" <<END
# viassh: begin
viassh:
  driver = manualroute
  domains = ${domains.length === 0 ? '! +local_domains' : domains.join(' : ')}
  transport = viassh
  route_list = *
  no_more
# viassh: end
END
cat >"$new/transport" <<END
# viassh: begin
viassh:
  driver = pipe
  command = $viassh ${batchArguments(situation, options)}
  path = $path
  user = ${options.user}
  home_directory = $home
  current_directory = /
  use_bsmtp
  use_crlf
  message_prefix =
  message_suffix =
  batch_max = 1
  temp_errors = ${temporary}
  timeout = 1h
  timeout_defer
  freeze_signal
  log_output
  return_fail_output
# viassh: end
END
if [ -f "$etc/exim4.conf" ]; then file=$etc/exim4.conf # one of your own goes before all of Debian's
elif grep -qs "^dc_use_split_config='true'" "$etc/update-exim4.conf.conf"; then file=
else file=$etc/exim4.conf.template
fi
if [ -z "$file" ]; then
  cat "$new/router" >"$etc/conf.d/router/050_viassh"
  cat "$new/transport" >"$etc/conf.d/transport/50_viassh"
else # behind the lines that begin routers and transports, in place of what is there from an earlier run
  awk -v router="$new/router" -v transport="$new/transport" '
    /^# viassh: begin$/ { ours = 1 }
    !ours { print }
    /^# viassh: end$/ { ours = 0 }
    /^begin routers/ { while ((getline line <router) > 0) print line }
    /^begin transports/ { while ((getline line <transport) > 0) print line }
  ' "$file" >"$new/file"
  [ "$(grep -c '^# viassh: begin$' "$new/file")" = 2 ] ||
    { echo "$file has no lines 'begin routers' and 'begin transports' to write behind; nothing was changed" >&2; exit 1; }
  cat "$new/file" >"$file"
fi
if [ "$etc" = /etc/exim4 ] && [ "$file" != "$etc/exim4.conf" ]; then update-exim4.conf; fi
)
# Then: \`exim4 -bt you@DOMAIN\` has to say \`router = viassh, transport = viassh\`. A daemon reads it after
# \`service exim4 reload\`. \`exim4 -v -M ID\` shows a delivery; what waits, and why: \`exim4 -bp\`, /var/log/exim4/mainlog.
`;
  },
});
