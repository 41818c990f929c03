import { destinationOf, formatDestination, knownHostsName, type ResolvedDestination } from '@viassh/core';
import { type Plan, planConnection } from '../library/open-connection.ts';
import type { CommandContext } from './command-context.ts';

/** `viassh resolve`: what would be used, and why. Nothing is dialled. */
export async function runResolve(
  { environment, globals, log, signal, stdout }: CommandContext,
  destination: string,
): Promise<number> {
  const plan = await planConnection(environment, {
    destination,
    typed: globals.typed,
    transport: globals.transport,
    control: globals.control,
    needs: [],
    log,
    signal,
  });
  const answer = describe(plan);
  stdout.write(globals.json ? `${JSON.stringify(answer, null, 2)}\n` : asLines(answer));
  return 0;
}

type Answer = Readonly<Record<string, string | number | boolean | readonly string[] | undefined>>;

function describe({ route, selection }: Plan): Answer {
  const hop: ResolvedDestination = destinationOf(route);
  return {
    host: hop.hostName,
    user: hop.user,
    port: hop.port,
    via: route.hops
      .slice(0, -1)
      .map((before) => formatDestination({ user: before.user, host: before.hostName, port: before.port })),
    proxyCommand: hop.proxyCommand,
    knownAs: knownHostsName(hop),
    knownHosts: [...hop.userKnownHostsFiles, ...hop.globalKnownHostsFiles],
    strictHostKeyChecking: hop.strictHostKeyChecking,
    identityFiles: hop.identityFiles,
    agent: hop.identityAgent,
    transport: selection.transport.name,
    why: selection.reason,
  };
}

function asLines(answer: Answer): string {
  const width = Math.max(...Object.keys(answer).map((name) => name.length));
  return Object.entries(answer)
    .filter(([, value]) => value !== undefined && !(Array.isArray(value) && value.length === 0))
    .map(([name, value]) => `${name.padEnd(width)}  ${Array.isArray(value) ? value.join(', ') : String(value)}\n`)
    .join('');
}
