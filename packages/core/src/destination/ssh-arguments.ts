import type { Destination } from './destination.ts';
import type { TypedOptions } from './typed-options.ts';

/**
 * The typed options as ssh's own argv, without host and command. ssh takes the first of several values, so what was
 * typed with `-l` and `-p` goes before what the destination names.
 */
export function sshArguments(typed: TypedOptions, destination: Pick<Destination, 'user' | 'port'>): string[] {
  return [
    ...flag('-F', typed.configFile),
    ...(typed.addressFamily === 'inet' ? ['-4'] : typed.addressFamily === 'inet6' ? ['-6'] : []),
    ...(typed.compression === true ? ['-C'] : []),
    ...(typed.forwardAgent === undefined ? [] : [typed.forwardAgent ? '-A' : '-a']),
    ...(typed.options ?? []).flatMap((option) => ['-o', option]),
    ...(typed.identityFiles ?? []).flatMap((file) => ['-i', file]),
    ...flag('-l', typed.user ?? destination.user),
    ...flag('-p', (typed.port ?? destination.port)?.toString()),
    ...flag('-J', typed.proxyJump),
  ];
}

function flag(name: string, value: string | undefined): string[] {
  return value === undefined ? [] : [name, value];
}
