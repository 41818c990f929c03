import { existsSync } from 'node:fs';
import {
  abortedError,
  type Capability,
  capabilities as allCapabilities,
  type Connection,
  type ConnectOptions,
  describeHostKey,
  destinationOf,
  type ResolvedDestination,
  type Route,
  type Transport,
  ViasshError,
} from '@viassh/core';
import { createProgramRunner } from '@viassh/program';
import { MemoryConnection } from './memory-connection.ts';
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
  const server = new MemoryServerState();
  const complete = {
    ...options,
    windowSize: options.windowSize ?? WINDOW_SIZE,
    programs: options.programs ?? createProgramRunner(),
  };
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
    const hop = destinationOf(route);
    if (!server.alive)
      throw new ViasshError('CONNECTION_REFUSED', `nothing listens at ${hop.hostName} port ${hop.port}`);
    server.contact();
    await answer(hop, options.behaviour, connectOptions.signal);
    await checkHostKey(route, server.hostKey, connectOptions);
    const authenticatedBy = await logIn(hop, options.login ?? { kind: 'key' }, connectOptions);
    if (connectOptions.signal?.aborted === true) throw abortedError(connectOptions.signal.reason);
    if (!server.alive) throw new ViasshError('SERVER_CLOSED', `${hop.hostName} closed the connection`);
    const info = {
      peer: `${hop.user}@${hop.hostName}:${hop.port}`,
      state: 'up' as const,
      serverVersion: 'SSH-2.0-viassh_memory',
      hostKey: describeHostKey(server.hostKey),
      authenticatedBy,
    };
    const connectionInfo = { ...info, hops: [info] };
    return new MemoryConnection(server, { ...complete, sessionEnv: hop.sessionEnv }, capabilities, connectionInfo);
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
  const missing: readonly Capability[] = [
    ...(hasTerminal ? [] : (['pty'] as const)),
    ...(['forwarded-tcpip', 'forwarded-streamlocal', 'originator', 'tun', 'agent', 'x11'] as const),
  ];
  return new Set(allCapabilities.filter((capability) => !missing.includes(capability)));
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
