import { definePlugin, type Plugin, ViasshError } from '@viassh/core';

/** Port forwards, as `ssh -N` with `-L`, `-R`, `-D`, and `-W`. */
export const forwardPlugin: Plugin = definePlugin({
  apiVersion: 1,
  name: 'forward',
  summary: 'forward ports and Unix sockets, in both directions, with SOCKS and HTTP CONNECT',
  options: {
    local: {
      type: 'strings',
      letter: 'L',
      valueName: '[BIND:]PORT:HOST:HOSTPORT',
      summary: 'what connects to PORT here goes to HOST:HOSTPORT from there; paths are Unix sockets',
    },
    remote: {
      type: 'strings',
      letter: 'R',
      valueName: '[BIND:]PORT[:HOST:HOSTPORT]',
      summary: 'what connects to PORT there goes to HOST:HOSTPORT from here; with PORT alone, SOCKS for those there',
    },
    dynamic: { type: 'strings', letter: 'D', valueName: '[BIND:]PORT', summary: 'SOCKS 4, 4a and 5 on PORT here' },
    http: { type: 'strings', valueName: '[BIND:]PORT', summary: 'an HTTP proxy (CONNECT) on PORT here' },
    gatewayPorts: { type: 'boolean', letter: 'g', summary: 'other machines may connect to what listens here' },
  },
  examples: [
    { command: 'forward user@host -L 8080:localhost:80', summary: 'the web server of the far end, on port 8080 here' },
  ],
  keepalive: true,
  needs: () => [],
  lifetime: 'resident',
  run: async () => {
    throw new ViasshError('INTERNAL', 'nothing is forwarded yet');
  },
});
