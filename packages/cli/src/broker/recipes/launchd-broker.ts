import { quoteWord, ViasshError } from '@viassh/core';
import { type BrokerRecipe, defineBrokerRecipe } from './broker-recipe.ts';

const LABEL = 'viassh';

/** An agent of launchd for `viassh up`. */
export const launchdBroker: BrokerRecipe = defineBrokerRecipe({
  program: 'launchd',
  summary: 'launchd (macOS): an agent for viassh up; there is no DEST',
  options: {},
  async script({ viassh, path, configFile, runtimeFolder, stateFolder }) {
    const environment = {
      PATH: path.join(':'),
      ...(configFile === undefined ? {} : { VIASSH_CONFIG: configFile }),
      ...(runtimeFolder === undefined ? {} : { VIASSH_RUNTIME_DIR: runtimeFolder }),
      ...(stateFolder === undefined ? {} : { VIASSH_STATE_DIR: stateFolder }),
    };
    const command = `exec ${quoteWord(viassh)} up 2>>"$HOME/Library/Logs/viassh.log"`;
    const variables = Object.entries(environment).map(
      ([name, value]) => `    <key>${name}</key>\n    ${text(value)}\n`,
    );
    return `# The broker for as long as you are logged in: ~/Library/LaunchAgents/${LABEL}.plist. It keeps up what config.yaml says.
# Its keys have to be without passphrase, or in the agent: nobody is there to ask. What it says is in ~/Library/Logs/viassh.log.
# launchd's own sockets are not used: its tunnels listen when it runs.
folder=$HOME/Library/LaunchAgents
mkdir -p "$folder" "$HOME/Library/Logs"
cat >"$folder/${LABEL}.plist" <<'END'
<?xml version="1.0" encoding="UTF-8"?>
<!DOCTYPE plist PUBLIC "-//Apple//DTD PLIST 1.0//EN" "http://www.apple.com/DTDs/PropertyList-1.0.dtd">
<plist version="1.0">
<dict>
  <key>Label</key>
  <string>${LABEL}</string>
  <key>ProgramArguments</key>
  <array>
    <string>/bin/sh</string>
    <string>-c</string>
    ${text(command)}
  </array>
  <key>EnvironmentVariables</key>
  <dict>
${variables.join('')}  </dict>
  <key>RunAtLoad</key>
  <true/>
  <key>KeepAlive</key>
  <dict>
    <key>SuccessfulExit</key>
    <false/>
  </dict>
  <key>ThrottleInterval</key>
  <integer>10</integer>
  <key>Umask</key>
  <integer>63</integer>
  <key>ProcessType</key>
  <string>Background</string>
</dict>
</plist>
END
# To start it:  launchctl bootstrap gui/$(id -u) "$folder/${LABEL}.plist"
# To end it:    launchctl bootout gui/$(id -u)/${LABEL}
# To check:     launchctl print gui/$(id -u)/${LABEL}; viassh status
# After a change of config.yaml:  viassh reload
`;
  },
});

function text(value: string): string {
  if (/\p{Cc}/u.test(value))
    throw new ViasshError('OPTION_INVALID', `a property list is not the place for this: ${JSON.stringify(value)}`, {
      hint: 'take a path without control characters',
    });
  const escaped = value.replaceAll('&', '&amp;').replaceAll('<', '&lt;').replaceAll('>', '&gt;');
  return `<string>${escaped}</string>`;
}
