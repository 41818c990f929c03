import { describeFarEnd, ViasshError } from '@viassh/core';
import { addressBytes, canonicalHost } from './host.ts';
import { type HostPattern, parseHostPattern } from './host-pattern.ts';
import type { TcpTarget } from './talk.ts';

/** One line of the rules: hosts, and ports of them. */
export interface DestinationRule {
  /** As it was written. */
  readonly text: string;
  readonly host: HostPattern;
  /** First and last; empty: all. */
  readonly ports: readonly (readonly [first: number, last: number])[];
}

/** Where clients may go. A `deny` that matches decides; with at least one `allow`, only what one of them matches passes. */
export interface DestinationRules {
  readonly allow?: readonly DestinationRule[] | undefined;
  readonly deny?: readonly DestinationRule[] | undefined;
}

/**
 * Reads `HOST[:PORTS]`. HOST is `*`, a name, `*.DOMAIN` (names below it, and not itself), an address, or a network
 * `ADDRESS/BITS`; IPv6 stands in brackets, which may be left out without PORTS. PORTS is `*`, or ports and ranges
 * `FIRST-LAST` with commas between them.
 *
 * @throws ViasshError OPTION_INVALID
 */
export function parseDestinationRule(text: string): DestinationRule {
  const bare = /^[^[\]]*:[^[\]]*:[^[\]]*$/.test(text);
  const [, v6, other, ports = '*'] = bare
    ? [undefined, text]
    : (/^(?:\[([^\]]*:[^\]]*)\]|([^:[\]]+))(?::([^:]*))?$/.exec(text) ?? []);
  const host = parseHostPattern(v6 ?? other ?? '');
  if (host === undefined) throw invalid(text, 'it has no host that can be matched');
  return { text, host, ports: ports === '*' ? [] : ports.split(',').map((part) => parsePorts(text, part)) };
}

/** Why a client may not go there; undefined when it may. */
export function deniedBy({ allow = [], deny = [] }: DestinationRules, target: TcpTarget): ViasshError | undefined {
  const hit = deny.find((rule) => matches(rule, target, sameMachine(target.host)));
  if (hit !== undefined) return denied(target, `the rule deny ${hit.text}`);
  const passes = allow.length === 0 || allow.some((rule) => matches(rule, target, [target.host]));
  return passes ? undefined : denied(target, 'no rule allow');
}

/**
 * What is kept from an address is kept from the other ways to say it: connecting to the address of nobody reaches the
 * machine itself, and so does its name.
 */
function sameMachine(host: string): readonly string[] {
  const itself = /^(?:0\.0\.0\.0|::|localhost|.+\.localhost)$/.test(host) || isUnspecified(host);
  if (itself) return [host, 'localhost', '127.0.0.1', '::1'];
  return isLoopback(host) ? [host, 'localhost'] : [host];
}

function isLoopback(host: string): boolean {
  const bytes = addressBytes(host);
  return bytes?.length === 4 ? bytes[0] === 127 : (bytes?.every((byte, at) => byte === (at === 15 ? 1 : 0)) ?? false);
}

function isUnspecified(host: string): boolean {
  return addressBytes(host)?.every((byte) => byte === 0) ?? false;
}

function matches({ host, ports }: DestinationRule, target: TcpTarget, hosts: readonly string[]): boolean {
  if (ports.length > 0 && !ports.some(([first, last]) => target.port >= first && target.port <= last)) return false;
  return hosts.some((name) => host.matches(canonicalHost(name) ?? name));
}

function parsePorts(text: string, part: string): readonly [number, number] {
  const [, first, last = first] = /^(\d{1,5})(?:-(\d{1,5}))?$/.exec(part) ?? [];
  const range = [Number(first), Number(last)] as const;
  if (first === undefined || range[0] < 1 || range[1] > 65_535 || range[0] > range[1])
    throw invalid(text, `'${part}' is no port, and no range of ports`);
  return range;
}

function invalid(text: string, why: string): ViasshError {
  return new ViasshError('OPTION_INVALID', `this is no rule for destinations: '${text}': ${why}`, {
    hint: 'write HOST:PORTS, e.g. db.example:5432, *.example:80,443, 10.0.0.0/8:*, [2001:db8::/32]:8000-8999',
  });
}

function denied(target: TcpTarget, why: string): ViasshError {
  return new ViasshError('TARGET_DENIED', `a client may not go to ${describeFarEnd(target)}: ${why} of this forward`, {
    hint: 'who started the forward can change its rules',
  });
}
