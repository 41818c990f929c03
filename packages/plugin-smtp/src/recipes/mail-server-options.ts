import { type OptionSpec, type RecipeSituation, ViasshError } from '@viassh/core';

type StringOption = Extract<OptionSpec, { type: 'string' }>;

/** What the recipes of mail servers can be asked for. */
export const mailServerOptions: {
  readonly domains: StringOption;
  readonly user: StringOption & { readonly default: string };
  readonly to: StringOption;
} = {
  domains: {
    type: 'string',
    valueName: 'DOMAIN,…',
    summary: 'whose mail goes this way, *.DOMAIN for all below it (default: all that is not delivered here)',
  },
  user: {
    type: 'string',
    valueName: 'NAME',
    summary: 'whose ssh key is used: a user of this machine, not root',
    default: 'viassh',
  },
  to: { type: 'string', valueName: 'HOST:PORT', summary: 'what the far end dials (default: localhost:25)' },
};

/** The values of {@link mailServerOptions}. */
export interface MailServerValues {
  readonly domains?: string | undefined;
  readonly user: string;
  readonly to?: string | undefined;
}

/**
 * The domains, lower case; none: all that are not the machine's own.
 *
 * @throws ViasshError OPTION_INVALID for what is no domain
 */
export function domainsOf({ domains }: MailServerValues): readonly string[] {
  const names = (domains ?? '').split(/[\s,]+/).filter((name) => name !== '');
  for (const name of names) {
    if (!/^(?:\*\.)?[a-z\d](?:[a-z\d-]*[a-z\d])?(?:\.[a-z\d](?:[a-z\d-]*[a-z\d])?)*$/i.test(name)) {
      throw new ViasshError('OPTION_INVALID', `--domains wants domains, not '${name}'`, {
        hint: '--domains example.org,*.example.net; a name with other letters in its ASCII form (xn--…)',
      });
    }
  }
  return names.map((name) => name.toLowerCase());
}

/**
 * The lines of sh that both scripts begin with: `$viassh`, an absolute path, `$path`, in which Node is found, and
 * `$home`, the user's.
 *
 * @throws ViasshError OPTION_INVALID for a user, a far end or a destination that cannot be written into configurations
 */
export function preamble({ viassh }: RecipeSituation, { user }: MailServerValues): string {
  if (!/^[a-z_][\w.-]*$/i.test(user) || user === 'root') {
    throw new ViasshError('OPTION_INVALID', `--user wants the name of a user, and not root's: '${user}'`, {
      hint: 'mail servers run no command as root: take a user of its own, with an ssh key of its own',
    });
  }
  return `set -eu
viassh=$(command -v ${viassh}) || { echo 'viassh is not in PATH' >&2; exit 1; }
path=$(dirname "$(command -v node || echo "$viassh")"):/usr/local/bin:/usr/bin:/bin
home=$(getent passwd ${user} | cut -d: -f6)
case $viassh:$path in
  *[!A-Za-z0-9_./:+-]* | [!/]*) echo "no path that a configuration can have: $viassh, $path" >&2; exit 1 ;;
esac
[ -n "$home" ] || { echo 'there is no user ${user}: see above' >&2; exit 1; }`;
}

/** What stands behind `viassh`: words that no configuration and no shell reads as more than words. */
export function batchArguments({ destination }: RecipeSituation, { to }: MailServerValues): string {
  const words = ['smtp', '--bsmtp', ...(to === undefined ? [] : ['--to', to]), destination];
  const odd = words.find((word) => !/^[\w@%+:,./[\]-]+$/.test(word) || /^-(?!-)/.test(word));
  if (odd !== undefined) {
    throw new ViasshError('OPTION_INVALID', `a mail server's configuration has no way to write ${odd}`, {
      hint: 'make it a Host of ~/.ssh/config, and use that name',
    });
  }
  return words.join(' ');
}

/** How the user is made, and how it meets the far end for the first time. */
export function userComments({ destination, viassh }: RecipeSituation, { user }: MailServerValues): string {
  return `# The mail server runs viassh as the user ${user}, with the ssh key and the known hosts of that user. Where there is none yet:
#   adduser --system --group --shell /bin/sh --home /var/lib/${user} ${user}
#   su ${user} -c 'ssh-keygen -t ed25519 -N "" -f ~/.ssh/id_ed25519'
# and what \`viassh account smtp\` prints for that key goes to the far end. For a look at it, and at its host key:
#   su ${user} -c '${viassh} smtp ${destination} </dev/null'`;
}
