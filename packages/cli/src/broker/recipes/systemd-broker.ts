import { isIP } from 'node:net';
import { join } from 'node:path';
import { type NearEnd, quoteSystemdWord, ViasshError } from '@viassh/core';
import { type BrokerRecipe, type BrokerSituation, defineBrokerRecipe, listenersOf } from './broker-recipe.ts';

/** A unit for `viassh up`, and one for the places where its tunnels listen. */
export const systemdBroker: BrokerRecipe = defineBrokerRecipe({
  program: 'systemd',
  summary: 'systemd: units for viassh up; with DEST one that keeps forwards up (behind --: -L, -R, -D)',
  options: {
    systemUser: {
      type: 'string',
      valueName: 'USER',
      summary: "without DEST: units of the machine's own, which run as USER from its start on",
    },
  },
  async script(situation, { systemUser }) {
    if (systemUser !== undefined && !/^[A-Za-z_][\w.-]*\$?$/.test(systemUser))
      throw new ViasshError('OPTION_INVALID', `--system-user: '${systemUser}' is no name of a user`, {
        hint: 'write it as it is in /etc/passwd',
      });
    return systemUser === undefined ? await userUnits(situation) : await systemUnits(situation, systemUser);
  },
});

async function userUnits(situation: BrokerSituation): Promise<string> {
  const { configFile, runtimeFolder, stateFolder } = situation;
  // Relative sockets are in the runtime folder of whoever logs in; systemd knows it as %t.
  const folder = runtimeFolder ?? '/run/user/viassh';
  const config = await situation.readOwnConfig({ runtimeFolder: folder });
  const places = listenersOf(config).flatMap((place) =>
    listenStream(place, runtimeFolder === undefined ? { folder, specifier: '%t/viassh' } : undefined),
  );
  const service = serviceUnit(situation, {
    places,
    environment: {
      ...(configFile === undefined ? {} : { VIASSH_CONFIG: configFile }),
      ...(runtimeFolder === undefined ? {} : { VIASSH_RUNTIME_DIR: runtimeFolder }),
      ...(stateFolder === undefined ? {} : { VIASSH_STATE_DIR: stateFolder }),
    },
    wantedBy: 'default.target',
  });
  return `# The broker for as long as you are logged in: ~/.config/systemd/user/viassh.service. It keeps up what config.yaml says.
# Its keys have to be without passphrase, or in an agent that the unit finds: nobody is there to ask.
# From the start of the machine on, without a login: loginctl enable-linger
folder=\${XDG_CONFIG_HOME:-$HOME/.config}/systemd/user
mkdir -p "$folder"
cat >"$folder/viassh.service" <<'END'
${service}END
${socketPart(places, [])}# To start it:  systemctl --user daemon-reload && systemctl --user enable --now viassh${places.length === 0 ? '' : '.socket viassh'}
# To check:     systemctl --user status viassh; viassh status
# After a change of config.yaml:  systemctl --user reload viassh, or viassh reload${places.length === 0 ? '' : '; for other places to listen on, this recipe again'}
`;
}

async function systemUnits(situation: BrokerSituation, user: string): Promise<string> {
  const folder = '/run/viassh';
  const { configFile: file = '/etc/viassh/config.yaml' } = situation;
  const config = await situation.readOwnConfig({ file, runtimeFolder: folder });
  const places = listenersOf(config).flatMap((place) => listenStream(place, undefined));
  const service = serviceUnit(situation, {
    user,
    places,
    // The home of a user of the system may be nobody's to write to.
    environment: { VIASSH_CONFIG: file, VIASSH_RUNTIME_DIR: folder, VIASSH_STATE_DIR: '/var/lib/viassh' },
    wantedBy: 'multi-user.target',
  });
  const own = [
    `SocketUser=${user}`,
    // Who may not enter the folder could not come before the service runs, which makes it.
    `ExecStartPre=/usr/bin/install -d -m 0700 -o ${user} ${folder}`,
  ];
  return `# The broker from the start of the machine on, as ${user}: /etc/systemd/system/viassh.service. Run this as root.
# Its configuration is ${file}, its keys and known_hosts are those of ${user}: without passphrase, as nobody is there to ask.
# Commands of ${user} find it by VIASSH_RUNTIME_DIR=${folder}. VIASSH_ETC moves /etc, to look at what is written.
folder=\${VIASSH_ETC:-/etc}/systemd/system
mkdir -p "$folder"
cat >"$folder/viassh.service" <<'END'
${service}END
${socketPart(places, own)}# To start it:  systemctl daemon-reload && systemctl enable --now viassh${places.length === 0 ? '' : '.socket viassh'}
# To check:     systemctl status viassh; VIASSH_RUNTIME_DIR=${folder} viassh status
# After a change of the configuration:  systemctl reload viassh${places.length === 0 ? '' : '; for other places to listen on, this recipe again'}
`;
}

interface ServiceDetails {
  readonly user?: string;
  readonly places: readonly string[];
  readonly environment: Readonly<Record<string, string>>;
  readonly wantedBy: string;
}

function serviceUnit({ viassh, path }: BrokerSituation, details: ServiceDetails): string {
  const { user, places, environment, wantedBy } = details;
  const variables = Object.entries({ PATH: path.join(':'), ...environment });
  const lines = [
    '[Unit]',
    'Description=viassh: the tunnels of config.yaml, and one login for all commands',
    ...(user === undefined ? [] : ['Wants=network-online.target', 'After=network-online.target']),
    ...(places.length === 0 ? [] : ['Requires=viassh.socket']),
    '',
    '[Service]',
    'Type=notify',
    '# It speaks to systemd by systemd-notify, a process of its own.',
    'NotifyAccess=all',
    ...variables.map(([name, value]) => `Environment=${quoteSystemdWord(`${name}=${value}`, 'assignment')}`),
    `ExecStart=/usr/bin/env ${quoteSystemdWord(viassh)} up`,
    `ExecReload=/usr/bin/env ${quoteSystemdWord(viassh)} reload`,
    'StandardInput=null',
    '# 128+15: it was asked to end. After viassh down it stays down.',
    'SuccessExitStatus=143',
    'Restart=on-failure',
    'RestartSec=10',
    'WatchdogSec=60',
    '# It takes its ssh processes down itself.',
    'KillMode=mixed',
    ...(user === undefined
      ? []
      : [
          `User=${user}`,
          'RuntimeDirectory=viassh',
          'RuntimeDirectoryMode=0700',
          'RuntimeDirectoryPreserve=yes',
          'StateDirectory=viassh',
          'StateDirectoryMode=0700',
        ]),
    'UMask=0077',
    '# What may have to go: NoNewPrivileges where a ProxyCommand calls sudo, or with host-based logins.',
    'NoNewPrivileges=yes',
    'LockPersonality=yes',
    'RestrictRealtime=yes',
    'RestrictSUIDSGID=yes',
    'SystemCallArchitectures=native',
    'RestrictAddressFamilies=AF_UNIX AF_INET AF_INET6 AF_NETLINK',
    ...(user === undefined
      ? []
      : ['ProtectSystem=full', 'ProtectControlGroups=yes', 'ProtectKernelModules=yes', 'ProtectKernelTunables=yes']),
    '',
    '[Install]',
    `WantedBy=${wantedBy}`,
    ...(places.length === 0 ? [] : ['Also=viassh.socket']),
  ];
  return `${lines.join('\n')}\n`;
}

/** The part of the script about the socket unit: written, or taken away where nothing listens any more. */
function socketPart(places: readonly string[], more: readonly string[]): string {
  if (places.length === 0) return 'rm -f "$folder/viassh.socket"\n';
  const lines = [
    '[Unit]',
    'Description=viassh: where the tunnels of config.yaml listen',
    '',
    '[Socket]',
    ...places.map((place) => `ListenStream=${place}`),
    'SocketMode=0600',
    'DirectoryMode=0700',
    ...more,
    '',
    '[Install]',
    'WantedBy=sockets.target',
  ];
  return `# Clients may come before the broker runs: the first one starts it.
cat >"$folder/viassh.socket" <<'END'
${lines.join('\n')}
END
`;
}

/** systemd.socket(5), ListenStream=; none for a host that is to be looked up, where the broker listens by itself. */
function listenStream(
  place: NearEnd,
  inFolder: { readonly folder: string; readonly specifier: string } | undefined,
): readonly string[] {
  if (place.kind === 'tcp') {
    const host = place.host === 'localhost' ? '127.0.0.1' : place.host;
    if (isIP(host) === 0) return [];
    return [`${isIP(host) === 6 ? `[${host}]` : host}:${place.port}`];
  }
  if (/[\p{Cc}\\]/u.test(place.path))
    throw new ViasshError('OPTION_INVALID', `a unit of systemd is not the place for this path: ${place.path}`, {
      hint: 'take one without backslashes and control characters',
    });
  const doubled = place.path.replaceAll('%', '%%');
  const start = inFolder === undefined ? undefined : join(inFolder.folder, '/');
  return [
    start !== undefined && doubled.startsWith(start)
      ? `${inFolder?.specifier}/${doubled.slice(start.length)}`
      : doubled,
  ];
}
