import { defineRecipe, quoteSystemdWord, type Recipe, ViasshError } from '@viassh/core';

/** A unit of the user's own that keeps forwards up: what stands behind `--` is the arguments of `viassh forward`. */
export const systemdRecipe: Recipe = defineRecipe({
  program: 'systemd',
  summary: 'systemd: a user unit that keeps forwards up (behind --: -L, -R, -D as viassh forward takes them)',
  options: {
    name: { type: 'string', valueName: 'NAME', summary: 'the name of the unit', default: 'viassh-forward' },
  },
  script({ destination, viassh }, { name, words }) {
    if (!/^[\w-][\w.-]*$/.test(name))
      throw new ViasshError('OPTION_INVALID', `--name: '${name}' is no name for a unit`, {
        hint: 'letters, digits, dots, dashes and underscores',
      });
    const forwards = words.length === 0 ? ['-D', '1080'] : words;
    const line = [viassh, 'forward', destination, '-o', 'BatchMode=yes', ...forwards]
      .map((word) => quoteSystemdWord(word))
      .join(' ');
    return `# Forwards through ${destination} for as long as you are logged in: ~/.config/systemd/user/${name}.service
# What it forwards stood behind --: viassh recipe systemd DEST -- -L 8080:localhost:80. By itself it is SOCKS on port 1080.
# Its key has to be without passphrase, or in an agent that the unit finds: nobody is there to ask.
# From the start of the machine on, without a login: loginctl enable-linger
folder=\${XDG_CONFIG_HOME:-$HOME/.config}/systemd/user
mkdir -p "$folder"
cat >"$folder/${name}.service" <<'END'
[Unit]
Description=viassh forward ${destination}
StartLimitIntervalSec=0

[Service]
ExecStart=/usr/bin/env ${line}
StandardInput=null
Restart=always
RestartSec=10

[Install]
WantedBy=default.target
END
# To start it:  systemctl --user daemon-reload && systemctl --user enable --now ${name}
# To check:     systemctl --user status ${name}
`;
  },
});
