import { defineRecipe, type Recipe, ViasshError } from '@viassh/core';

/** On the server, as root: a port below 1024 for a remote forward that a user's login may have on a high one alone. */
export const privilegedPortRecipe: Recipe = defineRecipe({
  program: 'privileged-port',
  summary: 'a port below 1024 of the server for a remote forward on a high one: systemd, xinetd or nft',
  options: {
    port: { type: 'number', valueName: 'PORT', summary: 'what clients connect to', default: 80, min: 1, max: 65_535 },
    forwarded: {
      type: 'number',
      valueName: 'PORT',
      summary: 'where the forward listens (-R PORT:...)',
      default: 9030,
      min: 1,
      max: 65_535,
    },
    by: { type: 'string', valueName: 'PROGRAM', summary: 'systemd, xinetd or nft', default: 'systemd' },
  },
  script({ destination }, { port, forwarded, by }) {
    const script = Object.hasOwn(scripts, by) ? scripts[by] : undefined;
    if (script === undefined)
      throw new ViasshError('OPTION_INVALID', `--by: there is no way by '${by}'`, { hint: 'systemd, xinetd or nft' });
    if (!Number.isInteger(port) || !Number.isInteger(forwarded) || port === forwarded)
      throw new ViasshError('OPTION_INVALID', `--port and --forwarded want two different ports`, {
        hint: '--port 80 --forwarded 9030',
      });
    return `# For root on the server: port ${port} leads to ${forwarded}, where a remote forward listens.
#   viassh forward ${destination} -R ${forwarded}:intranet:80
# VIASSH_ETC moves /etc, to look at what is written.
etc=\${VIASSH_ETC:-/etc}
${script(port, forwarded)}`;
  },
});

const scripts: Readonly<Record<string, (port: number, forwarded: number) => string>> = {
  systemd: (port, forwarded) => `mkdir -p "$etc/systemd/system"
cat >"$etc/systemd/system/viassh-port-${port}.socket" <<'END'
[Unit]
Description=port ${port} for a forward of viassh on ${forwarded}

[Socket]
ListenStream=${port}

[Install]
WantedBy=sockets.target
END
cat >"$etc/systemd/system/viassh-port-${port}.service" <<'END'
[Unit]
Description=port ${port} for a forward of viassh on ${forwarded}

[Service]
ExecStart=/usr/lib/systemd/systemd-socket-proxyd localhost:${forwarded}
DynamicUser=yes
END
# To start it:  systemctl daemon-reload && systemctl enable --now viassh-port-${port}.socket
# To check:     ss -ltn 'sport = :${port}'
`,
  xinetd: (port, forwarded) => `mkdir -p "$etc/xinetd.d"
cat >"$etc/xinetd.d/viassh-port-${port}" <<'END'
service viassh-port-${port}
{
    type        = UNLISTED
    flags       = REUSE
    socket_type = stream
    protocol    = tcp
    user        = root
    wait        = no
    instances   = UNLIMITED
    port        = ${port}
    redirect    = localhost ${forwarded}
    disable     = no
}
END
# To start it:  systemctl restart xinetd
# To check:     ss -ltn 'sport = :${port}'
`,
  nft: (port, forwarded) => `mkdir -p "$etc/nftables.d"
# The packets keep the address they came for: the forward has to listen there, and not on loopback alone:
#   -R '*:${forwarded}:...', with GatewayPorts clientspecified in sshd_config. Connections from the server itself are not redirected.
cat >"$etc/nftables.d/viassh-port-${port}.nft" <<'END'
table inet viassh_port_${port}
delete table inet viassh_port_${port}
table inet viassh_port_${port} {
  chain prerouting {
    type nat hook prerouting priority dstnat;
    tcp dport ${port} redirect to :${forwarded}
  }
}
END
# To start it:  nft -f /etc/nftables.d/viassh-port-${port}.nft   (and include that file in /etc/nftables.conf)
# To check:     nft list table inet viassh_port_${port}
`,
};
