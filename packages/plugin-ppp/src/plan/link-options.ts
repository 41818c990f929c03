import type { OptionValues } from '@viassh/core';

/** The options of `viassh ppp`. */
export const linkOptions = {
  far: {
    type: 'string',
    valueName: 'KIND',
    summary: 'the other end: viassh, tun (PermitTunnel of sshd), pppd, slirp; auto tries them in this order',
    default: 'auto',
  },
  address: {
    type: 'strings',
    valueName: 'LOCAL:REMOTE',
    summary: 'addresses of the two ends, as the far end permits them; also LOCAL,REMOTE and LOCAL/PREFIX',
  },
  route: {
    type: 'strings',
    valueName: 'CIDR',
    summary: 'networks to be reached through the link; default: everything',
  },
  keepRoute: {
    type: 'strings',
    valueName: 'HOST',
    summary: 'an address or a name that is reached beside the link all the time',
  },
  dns: { type: 'boolean', summary: 'use the name servers that the far end tells' },
  nameServer: { type: 'strings', valueName: 'ADDRESS', summary: 'use this name server while the link is up' },
  mtu: {
    type: 'number',
    valueName: 'BYTES',
    summary: 'the largest packet (default: 1500)',
    min: 576,
    max: 65_535,
  },
  onDown: {
    type: 'string',
    valueName: 'POLICY',
    summary: 'what becomes of traffic to the routes while the link is down: block, or pass (it goes the usual way)',
    default: 'pass',
  },
  device: { type: 'string', valueName: 'NAME', summary: 'the device here (default: the next tunN)' },
  ethernet: { type: 'boolean', summary: 'Ethernet frames instead of IP packets (tun, viassh)' },
  unit: {
    type: 'number',
    valueName: 'N',
    summary: 'with --far tun: the number of the device there',
    min: 0,
    max: 0x7ffffffe,
  },
  command: {
    type: 'string',
    valueName: 'COMMAND',
    summary: 'what starts the other end there, for the shell there (pppd, slirp, viassh)',
  },
  name: { type: 'string', valueName: 'NAME', summary: 'who we are for a pppd that asks' },
  secretFile: {
    type: 'string',
    valueName: 'FILE',
    summary: 'the secret for it: the first line of a file that nobody else can read',
  },
  askpass: {
    type: 'string',
    valueName: 'PROGRAM',
    summary: 'a program that prints the secret, where there is no --secret-file',
    variable: 'SSH_ASKPASS',
  },
  upScript: { type: 'string', valueName: 'FILE', summary: "run when the link is up, with pppd's ip-up environment" },
  downScript: { type: 'string', valueName: 'FILE', summary: 'run when it is down again' },
  linkName: { type: 'string', valueName: 'NAME', summary: 'LINKNAME of the scripts', default: 'viassh' },
  serve: { type: 'boolean', summary: 'be the other end, on stdin and stdout: what runs on the server' },
  stdio: { type: 'boolean', summary: 'speak PPP on stdin and stdout: for `pppd pty` of this machine' },
  stateFolder: {
    type: 'string',
    valueName: 'FOLDER',
    summary: "where it is noted what has to be undone after a crash (default: root's is /run/viassh-links)",
  },
} as const;

/** The values of {@link linkOptions}. */
export type LinkOptionValues = OptionValues<typeof linkOptions>;
