import type { ResolvedDestination, Route, TypedOptions } from '@viassh/core';

/**
 * Settings of what is done over a connection, and not of the login: a lease has its own. Whoever rides on the broker is asked
 * nothing in any case (`batchmode`).
 */
const beside = new Set([
  'host', // of `ssh -G`: as it was written
  'batchmode',
  'clearallforwardings',
  'escapechar',
  'forkafterauthentication',
  'loglevel',
  'permitlocalcommand',
  'remotecommand',
  'requesttty',
  'sendenv',
  'sessiontype',
  'setenv',
  'stdinnull',
]);
const BATCH_INTERVAL = '300'; // seconds: Debian's ServerAliveInterval where BatchMode is set and nothing is said of it

/**
 * The broker's key of a login, for a route as it was resolved, before a command has set keepalives of its own. How the
 * destination was written (`gate`, `user@gate:22`) counts only by what comes of it, and so does an `-o`. Of `variables`, the
 * environment of who asks, those count that a setting names, and those that say whose Kerberos tickets are used.
 */
export async function keyOfRoute(
  { hops, proxy }: Route,
  transport: string,
  variables: NodeJS.ProcessEnv,
): Promise<string> {
  const { leaseKey } = await import('@viassh/broker');
  const counted = (hop: ResolvedDestination): ResolvedDestination => plain(hop, variables);
  return leaseKey({
    route: { hops: [...hops.slice(0, -1).map(counted), counted(hops.at(-1) ?? hops[0])], proxy },
    transport,
  });
}

function plain(hop: ResolvedDestination, variables: NodeJS.ProcessEnv): ResolvedDestination {
  const raw = new Map([...hop.raw].filter(([name]) => !beside.has(name)));
  // `ssh -G` gives ProxyCommand, CertificateFile and others as they are written, with %n, %k and variables.
  const text = [...raw.values()].flat().join('\n');
  const host = /%[nk]/.test(text) ? hop.destination.host : hop.hostName;
  const named = [...text.matchAll(/\$\{?(\w+)/g)].map(([, name = '']) => name);
  const tickets = raw.get('gssapiauthentication')?.[0] === 'yes' ? ['KRB5CCNAME', 'KRB5_CONFIG'] : [];
  for (const name of [...named, ...tickets]) {
    const value = variables[name];
    if (value !== undefined) raw.set(`$${name}`, [value]);
  }
  const byBatch = hop.batchMode && raw.get('serveraliveinterval')?.[0] === BATCH_INTERVAL;
  if (byBatch) raw.set('serveraliveinterval', ['0']);
  return {
    ...hop,
    raw,
    destination: { host },
    typed: plainTyped(hop.typed, hop.raw),
    batchMode: false,
    serverAliveInterval: byBatch ? 0 : hop.serverAliveInterval,
    sessionEnv: {},
  };
}

/** What was typed beside the settings: of each of those `raw` has what came of it. */
function plainTyped(
  { options = [], identityFiles = [], ...typed }: TypedOptions,
  raw: ResolvedDestination['raw'],
): TypedOptions {
  const { compression = false } = typed;
  const others = options.map(spelledAlike).filter((option) => {
    const name = option.slice(0, option.indexOf('='));
    return !beside.has(name) && !raw.has(name);
  });
  return { ...typed, user: undefined, port: undefined, compression, identityFiles, options: others };
}

function spelledAlike(option: string): string {
  const [, keyword = '', value = ''] = /^\s*([^\s=]*)\s*=?\s*(.*)$/s.exec(option) ?? [];
  return `${keyword.toLowerCase()}=${value}`;
}
