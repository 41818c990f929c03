import {
  describeProxy,
  destinationOf,
  formatDestination,
  knownHostsName,
  type ResolvedDestination,
  type Route,
  sanitize,
} from '@viassh/core';
import { typedOptions } from '../arguments/typed-options.ts';
import { withUsualOptions } from '../arguments/usual-options.ts';
import { type Plan, planConnection } from '../library/open-connection.ts';
import type { CommandContext } from './command-context.ts';

type Facts = Readonly<Record<string, string | number | boolean | readonly string[] | undefined>>;

/** `viassh resolve`: what would be used, and why; with -v for every hop. Nothing is dialled. */
export async function runResolve(
  { environment, usualProxy, globals: typed, log, signal, stdout }: CommandContext,
  destination: string,
): Promise<number> {
  const globals = await withUsualOptions(typed, environment.variables);
  const plan = await planConnection(environment, {
    destination,
    typed: typedOptions(globals, usualProxy),
    transport: globals.transport,
    control: globals.control,
    needs: [],
    log,
    signal,
  });
  const answer = describe(plan);
  const hops = globals.level === 'info' || globals.level === 'debug' ? plan.route.hops.map(describeHop) : undefined;
  if (globals.json) stdout.write(`${JSON.stringify({ ...answer, hops }, null, 2)}\n`);
  else {
    stdout.write(asLines(answer));
    for (const [index, hop] of hops?.entries() ?? [])
      stdout.write(`\nhop ${index + 1} of ${plan.route.hops.length}\n${asLines(hop, '  ')}`);
  }
  return 0;
}

function describe({ route, selection }: Plan): Facts {
  const hop = destinationOf(route);
  return {
    host: hop.hostName,
    user: hop.user,
    port: hop.port,
    via: route.hops.slice(0, -1).map(addressOf),
    proxy: proxyOf(route),
    proxyCommand: hop.proxyCommand,
    knownAs: knownHostsName(hop),
    knownHosts: [...hop.userKnownHostsFiles, ...hop.globalKnownHostsFiles],
    strictHostKeyChecking: hop.strictHostKeyChecking,
    identityFiles: hop.identityFiles,
    agent: hop.identityAgent,
    agentForwarding: agentForwarding(hop),
    transport: selection.transport.name,
    why: selection.reason,
  };
}

/** What is known of a hop before it is dialled. The settings of ssh that we only hand on are as ssh prints them. */
function describeHop(hop: ResolvedDestination): Facts {
  const raw = (name: string): readonly string[] => (hop.raw.get(name) ?? []).filter((value) => value !== 'none');
  return {
    address: addressOf(hop),
    typed: formatDestination(hop.destination),
    proxyCommand: hop.proxyCommand,
    knownAs: knownHostsName(hop),
    knownHosts: [...hop.userKnownHostsFiles, ...hop.globalKnownHostsFiles],
    knownHostsCommand: raw('knownhostscommand'),
    strictHostKeyChecking: hop.strictHostKeyChecking,
    identityFiles: hop.identityFiles,
    identitiesOnly: hop.identitiesOnly,
    certificateFiles: raw('certificatefile'),
    pkcs11Provider: raw('pkcs11provider'),
    agent: hop.identityAgent,
    agentForwarding: agentForwarding(hop),
    logins: hop.preferredAuthentications,
    compression: hop.compression,
    serverAlive:
      hop.serverAliveInterval === 0 ? undefined : `${hop.serverAliveInterval} s, ${hop.serverAliveCountMax} times`,
  };
}

function addressOf({ user, hostName, port }: ResolvedDestination): string {
  return formatDestination({ user, host: hostName, port });
}

function proxyOf({ proxy }: Route): string | undefined {
  return proxy === undefined ? undefined : describeProxy(proxy);
}

function agentForwarding({ forwardAgent }: ResolvedDestination): string | boolean {
  return forwardAgent === true ? true : forwardAgent === false ? false : `the agent at ${forwardAgent}`;
}

function asLines(facts: Facts, indent = ''): string {
  const width = Math.max(...Object.keys(facts).map((name) => name.length));
  return Object.entries(facts)
    .filter(([, value]) => value !== undefined && !(Array.isArray(value) && value.length === 0))
    .map(
      ([name, value]) =>
        `${indent}${name.padEnd(width)}  ${sanitize(Array.isArray(value) ? value.join(', ') : String(value))}\n`,
    )
    .join('');
}
