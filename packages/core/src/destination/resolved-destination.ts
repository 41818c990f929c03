import type { Destination } from './destination.ts';
import type { TypedOptions } from './typed-options.ts';

/**
 * What ssh_config and the typed options make of a destination. Fields carry ssh_config's names in camelCase, its
 * meanings and its units (ssh_config(5)); paths have their `~` and tokens expanded.
 */
export interface ResolvedDestination {
  readonly destination: Destination;
  readonly typed: TypedOptions;
  /** The address to dial. */
  readonly hostName: string;
  readonly user: string;
  readonly port: number;
  /** The name under which the host key is looked up, when it is not the host name. */
  readonly hostKeyAlias?: string | undefined;
  readonly addressFamily: 'any' | 'inet' | 'inet6';
  readonly bindAddress?: string | undefined;
  /** Hops before this one, as ssh_config names them; empty for none. */
  readonly proxyJump: readonly string[];
  /** Unexpanded, as configured. */
  readonly proxyCommand?: string | undefined;
  readonly identityFiles: readonly string[];
  readonly identitiesOnly: boolean;
  /** Path of the agent's socket; `undefined` when there is none or it is switched off. */
  readonly identityAgent?: string | undefined;
  readonly userKnownHostsFiles: readonly string[];
  readonly globalKnownHostsFiles: readonly string[];
  readonly strictHostKeyChecking: 'yes' | 'accept-new' | 'no' | 'ask';
  readonly hashKnownHosts: boolean;
  readonly batchMode: boolean;
  readonly preferredAuthentications: readonly string[];
  readonly pubkeyAuthentication: boolean;
  readonly passwordAuthentication: boolean;
  readonly kbdInteractiveAuthentication: boolean;
  readonly numberOfPasswordPrompts: number;
  /** Seconds; 0 = off. */
  readonly serverAliveInterval: number;
  readonly serverAliveCountMax: number;
  /** Seconds; undefined = the system's own. */
  readonly connectTimeout?: number | undefined;
  readonly compression: boolean;
  /** ForwardAgent: off, the agent that we use, or the one at this socket. */
  readonly forwardAgent: boolean | string;
  /** RekeyLimit: the key is exchanged anew after so many bytes and seconds; 0 = at the cipher's own limit, and never. */
  readonly rekeyLimit: { readonly bytes: number; readonly seconds: number };
  /** This and the next three: in order of preference; empty = the transport's own choice. */
  readonly ciphers: readonly string[];
  readonly macs: readonly string[];
  readonly kexAlgorithms: readonly string[];
  readonly hostKeyAlgorithms: readonly string[];
  /** What SendEnv and SetEnv come to: sent with every session. */
  readonly sessionEnv: Readonly<Record<string, string>>;
  /** Every setting as read, lower-case names: for settings that only one transport knows. */
  readonly raw: ReadonlyMap<string, readonly string[]>;
}

/** The name under which known_hosts has this host: RFC-less, sshconnect.c get_hostfile_hostname_ipaddr(). */
export function knownHostsName(resolved: Pick<ResolvedDestination, 'hostKeyAlias' | 'hostName' | 'port'>): string {
  if (resolved.hostKeyAlias !== undefined) return resolved.hostKeyAlias;
  return resolved.port === 22 ? resolved.hostName : `[${resolved.hostName}]:${resolved.port}`;
}

/** The socket of the agent that the far end may use, by ForwardAgent; undefined when it may use none, or we have none. */
export function forwardedAgent({
  forwardAgent,
  identityAgent,
}: Pick<ResolvedDestination, 'forwardAgent' | 'identityAgent'>): string | undefined {
  return typeof forwardAgent === 'string' ? forwardAgent : forwardAgent ? identityAgent : undefined;
}
