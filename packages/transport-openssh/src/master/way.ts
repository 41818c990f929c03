import { quoteCommand, type ResolvedDestination } from '@viassh/core';

/** How ssh reaches a hop: on its own, through the master of the hop before, or on a wire that we dialled. */
export type Way =
  /** By TCP, or by the ProxyCommand of the hop's own configuration. */
  | { readonly kind: 'direct' }
  | { readonly kind: 'through'; readonly sshFile: string; readonly socketPath: string }
  /** Standard input and output of ssh are the wire. */
  | { readonly kind: 'stdio' };

/**
 * The way as `-o` values, to stand before all others: neither a ProxyJump nor a ProxyCommand of later ones acts then
 * (ssh_config(5): whichever comes first wins), except the ProxyCommand of a hop that is reached directly.
 */
export function wayOptions(hop: Pick<ResolvedDestination, 'hostName' | 'port' | 'proxyCommand'>, way: Way): string[] {
  if (way.kind === 'direct') return hop.proxyCommand === undefined ? ['ProxyCommand=none'] : [];
  return [`ProxyCommand=${way.kind === 'stdio' ? '-' : throughMaster(hop, way)}`, 'ProxyUseFdpass=no'];
}

/**
 * What an ssh is told that may do nothing but hand its descriptors to a master: no configuration, and where the master
 * does not take them no login of its own, which ssh would fall back to.
 */
export function passengerArguments(socketPath: string): string[] {
  return ['-F', 'none', '-S', socketPath, '-o', 'ProxyCommand=/bin/false'];
}

/** A command line for the user's shell, which ssh runs it by; `%` is a token's beginning there (ssh_config(5) TOKENS). */
function throughMaster(
  { hostName, port }: Pick<ResolvedDestination, 'hostName' | 'port'>,
  { sshFile, socketPath }: Extract<Way, { kind: 'through' }>,
): string {
  const words = [sshFile, ...passengerArguments(socketPath), '-W', `[${hostName}]:${port}`, '--', 'hop'];
  return quoteCommand(words).replaceAll('%', '%%');
}
