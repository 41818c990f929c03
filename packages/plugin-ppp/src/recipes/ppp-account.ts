import { type Account, defineAccount, quoteCommand, ViasshError } from '@viassh/core';
import { pppdOptions } from '../far-ends/pppd-command.ts';
import { slirpCommand } from '../far-ends/slirp-command.ts';
import { familyOf, parseLinkAddress } from '../plan/parse-link-address.ts';

/** A key that may have one IP link, with these addresses, and do nothing else. */
export const pppAccount: Account = defineAccount({
  program: 'ppp',
  summary: 'a key that may have one IP link, and nothing else',
  options: {
    far: { type: 'string', valueName: 'KIND', summary: 'pppd, viassh, tun or slirp', default: 'pppd' },
    address: {
      type: 'string',
      valueName: 'LOCAL:REMOTE',
      summary: "the addresses of this key's link; LOCAL is this server's",
      default: '192.168.45.1:192.168.45.2',
    },
    name: { type: 'string', valueName: 'NAME', summary: 'who the client says it is, to pppd', default: 'pppuser' },
    unit: { type: 'number', valueName: 'N', summary: 'the number of the tun device', default: 0, max: 9999 },
  },
  lines: ({ far, address, name, unit }, { viassh }) => {
    const { local, remote } = parseLinkAddress(address);
    if (remote === undefined || familyOf({ local }) !== 4)
      throw new ViasshError('OPTION_INVALID', `--address: '${address}' does not name both ends`, {
        hint: '192.168.45.1:192.168.45.2, this server first',
      });
    const addresses = [{ local: remote, remote: local, prefix: 32 }];
    switch (far) {
      case 'pppd':
        checkName(name);
        return {
          command: `exec ${quoteCommand(['/usr/sbin/pppd', ...pppdOptions({ addresses, mtu: undefined, name }), 'require-pap', 'refuse-chap', 'refuse-mschap', 'refuse-mschap-v2'])} ipparam pppoverssh`,
          notes: [
            'Install the package ppp; /usr/sbin/pppd has to be setuid root and executable for the group dip (ls -l: -rwsr-xr-- root dip).',
            `The account: adduser ${name}, then adduser ${name} dip. It needs a login shell that runs commands.`,
            `In /etc/ppp/pap-secrets (mode 600): ${name} * SECRET ${remote}   and the same SECRET at the client, in --secret-file.`,
            'Scripts in /etc/ppp/ip-up.d for other lines should leave this one alone: [ "$PPP_IPPARAM" = pppoverssh ] && exit 0.',
            'To reach more than this server through the link: sysctl net.ipv4.ip_forward=1, and a way back for the answers.',
            `The client: viassh ppp ${name}@SERVER --far pppd --name ${name} --secret-file FILE.`,
          ],
        };
      case 'slirp':
        return {
          command: slirpCommand,
          permits: ['pty'],
          notes: [
            'Install the package slirp. No root: the account goes out as any of its programs does.',
            'Whatever command the client names, this one runs. The client: viassh ppp NAME@SERVER --far slirp.',
          ],
        };
      case 'viassh':
        return {
          command: `exec ${viassh} ppp --serve --address ${local}:${remote}`,
          notes: [
            'Whatever command and addresses the client names, these are used.',
            'It takes root, or a device that root has made for the account: ip tuntap add dev NAME mode tun user ACCOUNT, then --device NAME in the command.',
            'The client: viassh ppp NAME@SERVER --far viassh.',
          ],
        };
      case 'tun':
        return {
          command: 'exit 1',
          options: [`tunnel="${unit}"`],
          sshdConfig: ['PermitTunnel point-to-point'],
          notes: [
            `For an account that is not root, root makes the device once: ip tuntap add dev tun${unit} mode tun user ACCOUNT; ip address add ${local} peer ${remote} dev tun${unit}; ip link set tun${unit} up`,
            `The client: viassh ppp NAME@SERVER --far tun --unit ${unit} --address ${remote}:${local}.`,
          ],
        };
      default:
        throw new ViasshError('OPTION_INVALID', `--far: there is no '${far}'`, {
          hint: 'one of pppd, viassh, tun, slirp',
        });
    }
  },
});

function checkName(name: string): void {
  if (/^[\w][\w.-]*$/.test(name)) return;
  throw new ViasshError('OPTION_INVALID', `--name: '${name}' is no name of an account`, {
    hint: 'letters, digits, dots, dashes and underscores',
  });
}
