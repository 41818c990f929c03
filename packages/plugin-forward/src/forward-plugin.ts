import { definePlugin, type Plugin } from '@viassh/core';
import { runForwards } from './run/run-forwards.ts';
import { runStdio } from './run/run-stdio.ts';
import { forwardAccount } from './server/forward-account.ts';
import { privilegedPortRecipe } from './server/privileged-port-recipe.ts';
import { systemdRecipe } from './server/systemd-recipe.ts';
import { askedForwards, forwardNeeds, forwardOptions } from './spec/asked-forwards.ts';

/** Port forwards, as `ssh -N` with `-L`, `-R`, `-D`, and `-W`. */
export const forwardPlugin: Plugin = definePlugin({
  apiVersion: 1,
  name: 'forward',
  summary: 'forward ports and Unix sockets, in both directions, with SOCKS and HTTP CONNECT',
  options: forwardOptions,
  words: { name: 'PROGRAM', summary: 'with --for: a program of this machine, and its arguments' },
  examples: [
    { command: 'forward user@host -L 8080:localhost:80', summary: 'the web server of the far end, on port 8080 here' },
    {
      command: 'forward user@host -R 9030:intranet:80',
      summary: 'a web server that is reached from here, on port 9030 there',
    },
    { command: 'forward user@host -D 1080 --http 3128', summary: 'SOCKS and HTTP proxies to where the far end can go' },
    {
      command: 'forward user@host -L ./db.sock:/run/db.sock --until-idle 300',
      summary: 'Unix sockets; ends by itself',
    },
    {
      command: `forward user@host -L 0:db:5432 --for -- sh -c 'psql -h 127.0.0.1 -p $VIASSH_FORWARD_LOCAL_1_PORT'`,
      summary: 'as long as the program runs',
    },
    { command: 'forward user@gate -W host:22', summary: 'on stdin and stdout: a ProxyCommand' },
  ],
  recipes: [systemdRecipe, privilegedPortRecipe],
  accounts: [forwardAccount],
  keepalive: true,
  needs: (options) => forwardNeeds(askedForwards(options)),
  mayNeed: ['direct-tcpip', 'direct-streamlocal', 'forwarded-tcpip', 'forwarded-streamlocal'],
  check: (options) => void askedForwards(options),
  // A program is not run again, and what went over stdio cannot be.
  lifetime: (options) => (options.stdio !== undefined || options.for ? 'one-shot' : 'resident'),
  run: async (context, options) => {
    const gatewayPorts = options.gatewayPorts || context.settings?.get('gatewayports')?.[0] === 'yes';
    const asked = askedForwards({ ...options, gatewayPorts });
    if (asked.stdio !== undefined) return await runStdio(context, asked.stdio);
    return await runForwards(context, asked, options);
  },
});
