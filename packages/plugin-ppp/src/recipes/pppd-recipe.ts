import { defineRecipe, quoteWord, type Recipe, ViasshError } from '@viassh/core';
import { slirpAddress } from '../far-ends/slirp-command.ts';

/** pppd of this machine over viassh: a peers file, and the secret where it looks for it. */
export const pppdRecipe: Recipe = defineRecipe({
  program: 'pppd',
  summary: 'pppd: a peer of this machine whose line is viassh ppp --stdio',
  options: {
    peer: { type: 'string', valueName: 'NAME', summary: 'what `pppd call` names', default: 'viassh' },
    name: {
      type: 'string',
      valueName: 'NAME',
      summary:
        'who we are for the pppd there, which root alone may tell to ask for no name; a forced command has its own',
    },
    far: { type: 'string', valueName: 'KIND', summary: 'what is there: pppd, viassh, tun, slirp', default: 'pppd' },
    linkName: { type: 'string', valueName: 'NAME', summary: 'LINKNAME of the ip-up scripts', default: 'pppoverssh' },
  },
  script({ destination, viassh }, { peer, name: asked, far, linkName }) {
    const name = asked ?? 'pppuser';
    for (const [option, value] of Object.entries({ '--peer': peer, '--name': name, '--link-name': linkName }))
      if (!/^[\w][\w.-]*$/.test(value))
        throw new ViasshError('OPTION_INVALID', `${option}: '${value}' is no name that pppd takes`, {
          hint: 'letters, digits, dots, dashes and underscores',
        });
    if (!['pppd', 'viassh', 'tun', 'slirp'].includes(far))
      throw new ViasshError('OPTION_INVALID', `--far: there is no '${far}'`, { hint: 'pppd, viassh, tun or slirp' });
    const who = far === 'pppd' && asked !== undefined ? ` --name ${asked}` : '';
    const line = `${viassh} ppp ${destination} --stdio --far ${far}${who} -o BatchMode=yes`;
    if (line.includes('"') || line.includes('\\'))
      throw new ViasshError('OPTION_INVALID', "pppd's options files have no way to write this destination", {
        hint: 'name it in ~/.ssh/config, by a Host of letters and digits',
      });
    const folder = '${VIASSH_PPP_FOLDER:-/etc/ppp}';
    return `# A link by pppd of this machine, over ssh: run this as root. What it needs: the package ppp.
# pppd runs the line as the user who calls it; root's key is used when root does, and nobody is there to ask.
folder=${folder}
mkdir -p "$folder/peers"
cat >"$folder/peers/${peer}" <<'END'
pty "${line}"
user ${name}
remotename ${peer}
linkname ${linkName}
noauth
nodetach
nodefaultroute
noipdefault
ipcp-accept-remote
noccp
novj
lcp-echo-interval 20
lcp-echo-failure 3
${far === 'slirp' ? `:${slirpAddress}\n` : ''}END
# The secret, the same as in pap-secrets of the server: put it into the third column.
umask 077
touch "$folder/pap-secrets"
grep -q ${quoteWord(`^${name}[[:space:]]${peer}[[:space:]]`)} "$folder/pap-secrets" ||
  echo ${quoteWord(`${name} ${peer} SECRET`)} >>"$folder/pap-secrets"
# To start it:  pppd call ${peer}
# To check:     ip address show; ip-up scripts see LINKNAME=${linkName}
# On the server: viassh account ppp --far ${far} KEY.pub
`;
  },
});
