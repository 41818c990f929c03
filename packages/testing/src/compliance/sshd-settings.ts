import type { SshdOptions } from '../sshd/sshd.ts';
import { complianceSecret, type ComplianceServerOptions } from './harness.ts';

/** What a case asks for, in the words of sshd_config and ssh_config. `port`: of what answers instead of sshd. */
export function sshdSettings(options: ComplianceServerOptions, port: number | undefined): SshdOptions {
  const { login = 'key', refuse = [] } = options;
  const config = [
    `MaxSessions ${options.maxSessions ?? 100}`,
    'AcceptEnv VIASSH_*',
    'Subsystem echo /bin/cat',
    'X11Forwarding yes',
    ...(refuse.includes('forwarded-tcpip') ? ['AllowTcpForwarding local'] : []),
    ...(refuse.includes('forwarded-streamlocal') ? ['AllowStreamLocalForwarding local'] : []),
    ...(refuse.includes('tun') ? ['PermitTunnel no'] : []),
    ...(options.permitListen === undefined ? [] : [`PermitListen ${options.permitListen}`]),
  ];
  const clientConfig = [
    ...(port === undefined ? [] : [`Port ${port}`]),
    ...(options.strictHostKeyChecking === undefined ? [] : [`StrictHostKeyChecking ${options.strictHostKeyChecking}`]),
    ...(options.connectTimeout === undefined ? [] : [`ConnectTimeout ${options.connectTimeout}`]),
    ...(options.forwardAgent === undefined ? [] : [`ForwardAgent ${options.forwardAgent}`]),
    ...(options.rekeyLimit === undefined ? [] : [`RekeyLimit ${options.rekeyLimit}`]),
    ...(options.compression === undefined ? [] : [`Compression ${options.compression ? 'yes' : 'no'}`]),
    ...(options.hops === 2 ? ['ProxyJump jump'] : []),
  ];
  return {
    config,
    clientConfig,
    knownHosts: options.knownHosts,
    authorize: login === 'key' || login === 'encrypted-key',
    password: login === 'password' ? complianceSecret : undefined,
  };
}
