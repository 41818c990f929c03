import {
  abortedError,
  describeProxy,
  dialThroughProxy,
  type Connection,
  type ConnectOptions,
  type ProgramRunner,
  type ProxyAddress,
  type ResolvedDestination,
  type Route,
  sanitize,
  ViasshError,
} from '@viassh/core';
import { refuseSecurityKeys } from './auth/security-key-files.ts';
import { openChannel } from './channel/open-channel.ts';
import { WireBacklog } from './wire/wire-backlog.ts';
import { type Hop, peerOf } from './hop.ts';
import type { HopLife } from './hop-life.ts';
import { type HostKeyCheck, prepareHostKeyCheck } from './host-key-check.ts';
import { type AlgorithmLists, chooseAlgorithms } from './algorithms.ts';
import { openHop } from './open-hop.ts';
import { supportedAlgorithms } from './ssh2-private/installed.ts';
import { Ssh2Connection } from './ssh2-connection.ts';
import { isFarEndFailure } from './translate-error.ts';
import { refuseUnsupportedSettings } from './unsupported-settings.ts';
import { dialTcp } from './wire/dial-tcp.ts';
import { runProxyCommand } from './wire/proxy-command.ts';
import { streamWire, type Wire } from './wire/wire.ts';

interface PreparedHop {
  readonly resolved: ResolvedDestination;
  readonly hostKey: HostKeyCheck;
  readonly algorithms: AlgorithmLists;
}

/** Makes the connection of a route: all that can be refused beforehand is, then hop after hop. */
export async function openRoute(route: Route, options: ConnectOptions, programs: ProgramRunner): Promise<Connection> {
  const { signal = new AbortController().signal, log, authenticate } = options;
  const { proxy } = route;
  if (signal.aborted) throw abortedError(signal.reason);
  const prepared: PreparedHop[] = [];
  for (const resolved of route.hops) prepared.push(await prepareHop(resolved, options));
  const hops: Hop[] = [];
  try {
    for (const { resolved, hostKey, algorithms } of prepared) {
      log.debug(`dialling ${peerOf(resolved)}`);
      const before = hops.at(-1);
      const dial = (life: HopLife): Promise<Wire> =>
        openWire(resolved, { before, proxy, programs, log, authenticate, life });
      hops.push(await openHop(resolved, dial, { hostKey, algorithms, authenticate, log, signal }));
    }
  } catch (error) {
    for (const hop of hops.toReversed()) await hop.close();
    throw error;
  }
  return new Ssh2Connection(hops, options);
}

async function prepareHop(resolved: ResolvedDestination, { verifyHostKey, log }: ConnectOptions): Promise<PreparedHop> {
  refuseUnsupportedSettings(resolved);
  await refuseSecurityKeys(resolved);
  if (resolved.raw.get('gssapiauthentication')?.[0] === 'yes')
    log.debug(`GSSAPIAuthentication of ${resolved.hostName} is not tried: ssh2 has no Kerberos`);
  const hostKey = await prepareHostKeyCheck(resolved, verifyHostKey, log);
  return { resolved, hostKey, algorithms: chooseAlgorithms(resolved, supportedAlgorithms(), hostKey.knownTypes) };
}

interface Dialling extends Pick<ConnectOptions, 'authenticate' | 'log'> {
  readonly before: Hop | undefined;
  readonly proxy: ProxyAddress | undefined;
  readonly programs: ProgramRunner;
  readonly life: HopLife;
}

async function openWire(
  resolved: ResolvedDestination,
  { before, proxy, programs, log, authenticate, life }: Dialling,
): Promise<Wire> {
  const { signal } = life;
  if (before !== undefined) return await dialThrough(before, resolved, signal);
  if (resolved.proxyCommand !== undefined)
    return await runProxyCommand(resolved, resolved.proxyCommand, { programs, log, signal });
  if (proxy !== undefined) return await dialProxy(resolved, proxy, authenticate, life);
  return await dialTcp(resolved, signal);
}

async function dialProxy(
  { hostName, port, batchMode, addressFamily, bindAddress, raw }: ResolvedDestination,
  proxy: ProxyAddress,
  authenticate: ConnectOptions['authenticate'],
  life: HopLife,
): Promise<Wire> {
  const { signal } = life;
  const askPassword = async (): Promise<string | undefined> => {
    if (batchMode) return undefined;
    life.stopWaiting();
    const text = sanitize(`password for ${describeProxy(proxy)}: `);
    const password = await authenticate?.ask({ kind: 'password', text, echo: false }, signal).catch(() => undefined);
    life.startWaiting();
    return password;
  };
  const target = { host: hostName, port };
  const socket = await dialThroughProxy(proxy, target, { signal, askPassword, addressFamily, bindAddress });
  socket.setKeepAlive(raw.get('tcpkeepalive')?.[0] !== 'no');
  return streamWire(socket);
}

async function dialThrough(before: Hop, { hostName, port }: ResolvedDestination, signal: AbortSignal): Promise<Wire> {
  const lost = Promise.withResolvers<never>();
  lost.promise.catch(() => undefined);
  before.onLost(lost.reject);
  const opening = { type: 'direct-tcpip', dstIP: hostName, dstPort: port, srcIP: '127.0.0.1', srcPort: 65535 } as const; // as ssh -W
  try {
    const channel = await Promise.race([
      openChannel(before.client, opening, { backlog: new WireBacklog(before.client, before.wire.stream), signal }),
      lost.promise,
    ]);
    before.onLost((error) => channel.connectionEnded(error));
    return streamWire(channel);
  } catch (error) {
    if (!(error instanceof ViasshError) || !isFarEndFailure(error)) throw error;
    throw new ViasshError(
      'PROXY_FAILED',
      `the jump host ${peerOf(before.resolved)} did not reach ${hostName} port ${port}: ${error.message}`,
      {
        hint: error.hint,
        cause: error,
      },
    );
  }
}
