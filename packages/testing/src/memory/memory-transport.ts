import { existsSync } from 'node:fs';
import {
  abortedError,
  type Capability,
  capabilities as allCapabilities,
  type Connection,
  type ConnectOptions,
  describeHostKey,
  destinationOf,
  forwardedAgent,
  type HopInfo,
  type ResolvedDestination,
  type Route,
  type Transport,
  ViasshError,
} from '@viassh/core';
import { createProgramRunner } from '@viassh/program';
import { MemoryConnection, type MemoryConnectionOptions } from './memory-connection.ts';
import { checkHostKey, logIn } from './memory-login.ts';
import { type MemoryServer, type MemoryServerOptions, MemoryServerState } from './memory-server.ts';

const WINDOW_SIZE = 2 * 1024 * 1024;

/** A transport whose server lives in this process. */
export interface MemoryTransport extends Transport {
  readonly server: MemoryServer;
}

/**
 * The whole Transport contract without SSH: both sides of every channel are here, windows really block, commands
 * really run under /bin/sh. For tests of plugins, and to prove the compliance suite. Every route leads to its server.
 */
export function createMemoryTransport(options: MemoryServerOptions = {}): MemoryTransport {
  const server = new MemoryServerState(options.login ?? { kind: 'key' });
  const jumpHosts = (options.jumpHosts ?? []).map(stateOf);
  const capabilities = memoryCapabilities();
  return {
    name: 'memory',
    capabilities,
    server,
    available: async () => ({ ok: true, detail: 'in memory' }),
    async connect(route, connectOptions): Promise<Connection> {
      const { signal } = connectOptions;
      if (signal?.aborted === true) throw abortedError(signal.reason);
      return await orAborted(signal, connect(route, connectOptions));
    },
  };

  async function connect(route: Route, connectOptions: ConnectOptions): Promise<Connection> {
    const infos: HopInfo[] = [];
    const servers = route.hops.slice(0, -1).map((_, index) => jumpHosts[index] ?? server);
    for (const [index, hop] of route.hops.entries())
      infos.push(await logInToHop(hop, servers[index] ?? server, options.behaviour, connectOptions));
    const hop = destinationOf(route);
    const agentSocket = forwardedAgent(hop);
    const complete: MemoryConnectionOptions = {
      ...options,
      windowSize: options.windowSize ?? WINDOW_SIZE,
      programs: options.programs ?? createProgramRunner(),
      sessionEnv: hop.sessionEnv,
      spareSession: connectOptions.spareSession ?? true,
      forwardAgent: agentSocket !== undefined,
      agentSocket,
    };
    return new MemoryConnection([...servers, server], complete, capabilities, infos);
  }
}

/** A route of one hop for the memory transport; what it does not name has OpenSSH's defaults and no files. */
export function memoryRoute(settings: Partial<ResolvedDestination> = {}): Route {
  const hop: ResolvedDestination = {
    destination: { host: 't' },
    typed: {},
    hostName: 'memory.test',
    user: 'tester',
    port: 22,
    addressFamily: 'any',
    proxyJump: [],
    identityFiles: [],
    identitiesOnly: false,
    userKnownHostsFiles: [],
    globalKnownHostsFiles: [],
    strictHostKeyChecking: 'ask',
    hashKnownHosts: false,
    batchMode: false,
    preferredAuthentications: ['publickey', 'keyboard-interactive', 'password'],
    pubkeyAuthentication: true,
    passwordAuthentication: true,
    kbdInteractiveAuthentication: true,
    numberOfPasswordPrompts: 3,
    serverAliveInterval: 0,
    serverAliveCountMax: 3,
    compression: false,
    forwardAgent: false,
    rekeyLimit: { bytes: 0, seconds: 0 },
    ciphers: [],
    macs: [],
    kexAlgorithms: [],
    hostKeyAlgorithms: [],
    sessionEnv: {},
    raw: new Map(),
    ...settings,
  };
  return { hops: [hop] };
}

/** A terminal takes script(1), which not every system has. */
function memoryCapabilities(): ReadonlySet<Capability> {
  const hasTerminal = existsSync('/usr/bin/script') && existsSync('/proc/self');
  return new Set(allCapabilities.filter((capability) => hasTerminal || capability !== 'pty'));
}

function stateOf(server: MemoryServer): MemoryServerState {
  if (server instanceof MemoryServerState) return server;
  throw new TypeError('a jump host is the `server` of another memory transport');
}

async function logInToHop(
  hop: ResolvedDestination,
  server: MemoryServerState,
  behaviour: MemoryServerOptions['behaviour'],
  options: ConnectOptions,
): Promise<HopInfo> {
  if (!server.alive) throw new ViasshError('CONNECTION_REFUSED', `nothing listens at ${hop.hostName} port ${hop.port}`);
  server.contact();
  await answer(hop, behaviour, options.signal);
  await checkHostKey(hop, server.hostKey, options);
  const authenticatedBy = await logIn(hop, server.login, options);
  if (options.signal?.aborted === true) throw abortedError(options.signal.reason);
  if (!server.alive) throw new ViasshError('SERVER_CLOSED', `${hop.hostName} closed the connection`);
  return {
    peer: `${hop.user}@${hop.hostName}:${hop.port}`,
    state: 'up',
    serverVersion: 'SSH-2.0-viassh_memory',
    hostKey: describeHostKey(server.hostKey),
    compression: hop.compression ? 'zlib@openssh.com' : 'none',
    authenticatedBy,
  };
}

async function answer(
  hop: ResolvedDestination,
  behaviour: MemoryServerOptions['behaviour'],
  signal: AbortSignal | undefined,
): Promise<void> {
  if (behaviour === 'not-ssh') throw new ViasshError('PROTOCOL_ERROR', `${hop.hostName} does not speak SSH`);
  if (behaviour === 'closes') throw new ViasshError('SERVER_CLOSED', `${hop.hostName} closed the connection`);
  if (behaviour !== 'silent') return;
  await new Promise<never>((_, reject) => {
    const stop = (): void => {
      clearTimeout(timer);
      reject(abortedError(signal?.reason));
    };
    const timedOut = (): void => {
      signal?.removeEventListener('abort', stop);
      reject(new ViasshError('CONNECT_TIMEOUT', `${hop.hostName} did not answer within ${hop.connectTimeout} s`));
    };
    const timer = hop.connectTimeout === undefined ? undefined : setTimeout(timedOut, hop.connectTimeout * 1000);
    signal?.addEventListener('abort', stop, { once: true });
  });
}

/** Settles with `work`, or rejects at once when the caller gives up; a connection that comes late is closed. */
async function orAborted(signal: AbortSignal | undefined, work: Promise<Connection>): Promise<Connection> {
  if (signal === undefined) return await work;
  let onAbort: (() => void) | undefined;
  const aborted = new Promise<never>((_, reject) => {
    onAbort = () => {
      reject(abortedError(signal.reason));
      work.then((connection) => connection.close()).catch(() => undefined);
    };
    signal.addEventListener('abort', onAbort, { once: true });
  });
  try {
    return await Promise.race([work, aborted]);
  } finally {
    if (onAbort !== undefined) signal.removeEventListener('abort', onAbort);
  }
}
