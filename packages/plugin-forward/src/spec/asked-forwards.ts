import { type Capability, farEndNeeds, type OptionValues, ViasshError } from '@viassh/core';
import { type DestinationRules, parseDestinationRule } from '../negotiate/destination-rules.ts';
import type { FarTarget, ForwardSpec } from './forward-spec.ts';
import { parseDynamicForward, parseLocalForward, parseRemoteForward, parseStdioForward } from './parse-forward.ts';

/** The options of `viassh forward`. */
export const forwardOptions = {
  local: {
    type: 'strings',
    letter: 'L',
    valueName: '[BIND:]PORT:HOST:HOSTPORT',
    summary:
      'what connects to PORT here goes to HOST:HOSTPORT from there; paths are Unix sockets, port 0 one that is free',
  },
  remote: {
    type: 'strings',
    letter: 'R',
    valueName: '[BIND:]PORT[:HOST:HOSTPORT]',
    summary: 'what connects to PORT there goes to HOST:HOSTPORT from here; with PORT alone, SOCKS for those there',
  },
  dynamic: { type: 'strings', letter: 'D', valueName: '[BIND:]PORT', summary: 'SOCKS 4, 4a and 5 on PORT here' },
  http: { type: 'strings', valueName: '[BIND:]PORT', summary: 'an HTTP proxy (CONNECT) on PORT here' },
  stdio: {
    type: 'string',
    letter: 'W',
    valueName: 'HOST:PORT',
    summary: 'stdin and stdout to HOST:PORT from there, and nothing else; or to the path of a Unix socket',
  },
  gatewayPorts: {
    type: 'boolean',
    letter: 'g',
    summary: 'other machines may connect to what listens here without a BIND of its own',
  },
  allow: {
    type: 'strings',
    valueName: 'HOST[:PORTS]',
    summary: 'clients of -D, --http and -R PORT may go there, and nowhere else: *.example.org:443, 10.0.0.0/8:1-1023',
  },
  deny: { type: 'strings', valueName: 'HOST[:PORTS]', summary: 'clients of -D, --http and -R PORT may not go there' },
  users: {
    type: 'string',
    valueName: 'FILE',
    summary: 'clients of -D, --http and -R PORT log in by a line USER:PASSWORD of FILE',
  },
  untilIdle: {
    type: 'number',
    valueName: 'SECONDS',
    summary: 'end when for so long nothing has been connected',
    min: 0.001,
    max: 2_000_000, // what a timer can hold
  },
  for: {
    type: 'boolean',
    summary: 'run PROGRAM and live as long as it does; it finds the addresses in its environment (VIASSH_FORWARD_...)',
  },
  noCommand: { type: 'boolean', letter: 'N', summary: 'as with ssh: there is never a remote command' },
} as const;

/** Their values, checked one by one. */
export type ForwardOptionValues = OptionValues<typeof forwardOptions>;

/** What one call asks for: a stdio forward, or forwards that listen. */
export interface AskedForwards {
  readonly stdio?: FarTarget | undefined;
  /** What listens here, then what listens there: local, SOCKS, HTTP, remote; each in the order typed. */
  readonly listening: readonly ForwardSpec[];
  readonly rules: DestinationRules;
}

/** Reads all forwards of a call. @throws ViasshError OPTION_INVALID, also for options that do not go together */
export function askedForwards(options: ForwardOptionValues): AskedForwards {
  const { gatewayPorts, allow, deny, users } = options;
  const listening: readonly ForwardSpec[] = [
    ...options.local.map((text) => parseLocalForward(text, { gatewayPorts })),
    ...options.dynamic.map((text) => parseDynamicForward(text, 'socks', { gatewayPorts })),
    ...options.http.map((text) => parseDynamicForward(text, 'http', { gatewayPorts })),
    ...options.remote.map(parseRemoteForward),
  ];
  const stdio = options.stdio === undefined ? undefined : parseStdioForward(options.stdio);
  const rules = { allow: allow.map(parseDestinationRule), deny: deny.map(parseDestinationRule) };
  if (stdio !== undefined) checkAlone(options, listening);
  else if (listening.length === 0)
    throw invalid(
      'there is nothing to forward',
      'give -L, -R, -D, --http or -W; what ssh_config says of forwards is not taken',
    );
  checkLifetime(options);
  const chooses = listening.some(
    (spec) => spec.kind === 'dynamic' || (spec.kind === 'remote' && spec.to.kind === 'socks'),
  );
  if (!chooses && allow.length + deny.length > 0)
    throw invalid('--allow and --deny are for clients that choose where to go', 'use them with -D, --http or -R PORT');
  if (users !== undefined && !chooses)
    throw invalid('--users is for clients that log in', 'use it with -D, --http or -R PORT');
  return { stdio, listening, rules };
}

/** What a connection has to be able to do for them. */
export function forwardNeeds({ stdio, listening }: AskedForwards): readonly Capability[] {
  const needs = listening.map((spec): Capability => {
    if (spec.kind === 'remote') return spec.listen.kind === 'tcpip' ? 'forwarded-tcpip' : 'forwarded-streamlocal';
    return spec.kind === 'dynamic' ? 'direct-tcpip' : farEndNeeds[spec.to.kind];
  });
  return [...new Set([...needs, ...(stdio === undefined ? [] : [farEndNeeds[stdio.kind]])])];
}

function checkAlone({ untilIdle, for: forProgram }: ForwardOptionValues, listening: readonly ForwardSpec[]): void {
  if (listening.length > 0)
    throw invalid('-W goes with no other forward', 'stdin and stdout are all that it joins: call viassh forward twice');
  if (untilIdle !== undefined || forProgram)
    throw invalid('-W ends with its one connection', 'leave --until-idle and --for away');
}

function checkLifetime({ untilIdle, for: forProgram, words }: ForwardOptionValues): void {
  if (forProgram && words.length === 0)
    throw invalid(
      '--for wants a program of this machine',
      'write it behind --: viassh forward HOST -L … --for -- PROGRAM …',
    );
  if (!forProgram && words.length > 0)
    throw invalid(
      'there are words behind --, and no --for',
      'with --for they are a program to run here; viassh pipe runs one on the far end',
    );
  if (forProgram && untilIdle !== undefined)
    throw invalid('--for and --until-idle say two different ends', 'give one of them');
}

function invalid(message: string, hint: string): ViasshError {
  return new ViasshError('OPTION_INVALID', message, { hint });
}
