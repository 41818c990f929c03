import { definePlugin, type LocalContext, type Plugin, type PluginContext, ViasshError } from '@viassh/core';
import { openPppdLink } from './far-ends/pppd-far-link.ts';
import { openSlirpLink } from './far-ends/slirp-far-link.ts';
import { openTunLink } from './far-ends/tun-far-link.ts';
import { openViasshLink } from './far-ends/viassh-far-link.ts';
import { openNearNetwork, recoverNearNetwork } from './link/near-network.ts';
import { type LinkParts, runLink } from './link/run-link.ts';
import { linkOptions, type LinkOptionValues } from './plan/link-options.ts';
import { planOf } from './plan/link-plan.ts';
import { pppAccount } from './recipes/ppp-account.ts';
import { pppdRecipe } from './recipes/pppd-recipe.ts';
import { serveLink } from './serve/serve-link.ts';
import { runStdioLink } from './stdio/run-stdio-link.ts';

/** An IP link over SSH: a device here, and pppd, slirp, our own program or sshd's tun device there. */
export const pppPlugin: Plugin = definePlugin({
  apiVersion: 1,
  name: 'ppp',
  summary: 'an IP link to the far end, with routes and name servers (PPP, TUN)',
  options: linkOptions,
  words: { name: 'COMMAND', summary: 'the same as --command' },
  examples: [
    { command: 'ppp root@host --route 10.0.0.0/8', summary: 'that network, through the far end' },
    { command: 'ppp root@host --route default --dns --on-down block', summary: 'everything, and nothing around it' },
    { command: 'ppp user@host --far slirp --route 192.168.7.0/24', summary: 'without root on the far end' },
    {
      command: 'ppp pppuser@host --far pppd --name pppuser --secret-file ~/.ppp-secret',
      summary: 'pppd, with PAP or CHAP',
    },
    { command: 'ppp root@host --far tun --address 10.9.0.2:10.9.0.1', summary: "sshd's own tun device" },
  ],
  recipes: [pppdRecipe],
  accounts: [pppAccount],
  keepalive: true,
  needs: (options) => {
    const { far } = planOf(options);
    if (far.length > 1) return [];
    return far[0] === 'tun' ? ['tun'] : ['exec'];
  },
  mayNeed: ['exec', 'pty', 'tun'],
  check: (options) => void planOf(options),
  lifetime: ({ serve, stdio }) => (serve || stdio ? 'one-shot' : 'resident'),
  servesHere: ({ serve }) => serve,
  runHere: async (context, options) => {
    if (options.serve) return await serveLink(context, planOf(options), options, partsOf(context, options));
    if (!options.stdio) await recoverNearNetwork({ ...context, stateFolder: options.stateFolder });
    return undefined;
  },
  run: async (context: PluginContext, options) => {
    if (options.serve) throw new ViasshError('OPTION_INVALID', '--serve has no destination');
    const parts = partsOf(context, options);
    const plan = planOf(options);
    return options.stdio ? await runStdioLink(context, plan, parts) : await runLink(context, plan, options, parts);
  },
});

function partsOf(
  { programs, log }: Pick<LocalContext, 'programs' | 'log'>,
  { stateFolder }: LinkOptionValues,
): LinkParts {
  return {
    openDevice: async (options) => (await import('@viassh/linux')).openTunDevice(options),
    openNetwork: async () => await openNearNetwork({ programs, log, stateFolder }),
    openers: { viassh: openViasshLink, tun: openTunLink, pppd: openPppdLink, slirp: openSlirpLink },
    vnetHeader: true,
  };
}
