import { once } from 'node:events';
import { chmod, mkdir, readFile, writeFile } from 'node:fs/promises';
import { type AddressInfo, createServer, type Socket } from 'node:net';
import { join } from 'node:path';
import process from 'node:process';
import {
  type ConfigSource,
  nobodyToAsk,
  parseDestination,
  resolveRoute,
  type Route,
  silentLogger,
  type Transport,
  verifyByKnownHosts,
} from '@viassh/core';
import { createProgramRunner } from '@viassh/program';
import { type Proxy, startProxy } from '../proxies/start-proxy.ts';
import { findProgram, missingForSshd } from '../sshd/find-sshd.ts';
import type { Sshd } from '../sshd/sshd.ts';
import { startSshd } from '../sshd/start-sshd.ts';
import { missingForTun, startTunServer } from '../tun/tun-server.ts';
import {
  type ComplianceHarness,
  complianceSecret,
  type ComplianceServer,
  type ComplianceServerOptions,
} from './harness.ts';
import { sshdSettings } from './sshd-settings.ts';

/** What the real-sshd harness takes: the transport, and what makes a route of the fixture's ssh_config. */
export interface SshdHarnessOptions {
  /** Default: the transport's own name. */
  readonly name?: string | undefined;
  readonly transport: Transport;
  readonly configSource: ConfigSource;
  /** As {@link ComplianceHarness.runtimeFolder}. */
  readonly runtimeFolder?: string | undefined;
}

/** A transport against real sshd servers, one for each case that may hurt it. */
export function sshdHarness({ name, transport, configSource, runtimeFolder }: SshdHarnessOptions): ComplianceHarness {
  return {
    name: name ?? transport.name,
    transport,
    runtimeFolder,
    async missing(login, needs = []) {
      if (needs.includes('pty') && process.getuid?.() !== 0)
        return 'an sshd that is not root cannot give a terminal away';
      if (login === 'password' && process.getuid?.() !== 0) return 'giving a user a password needs root';
      if (needs.includes('x11') && (await findProgram('xauth')) === undefined)
        return 'sshd forwards no X11 without xauth (Debian: apt-get install xauth)';
      return needs.includes('tun') ? await missingForTun() : await missingForSshd();
    },
    serve: (options) => serve(transport, configSource, options ?? {}),
  };
}

async function serve(
  transport: Transport,
  configSource: ConfigSource,
  options: ComplianceServerOptions,
): Promise<ComplianceServer> {
  await using undo = new AsyncDisposableStack();
  const { login = 'key', behaviour = 'ssh' } = options;
  const other = behaviour === 'ssh' ? undefined : undo.use(await startOther(behaviour));
  const proxy = options.proxy === undefined ? undefined : undo.use(await startProxyFor(options.proxy));
  const jump = options.hops === 2 ? undo.use(await startJumpHost(options)) : undefined;
  const settings = sshdSettings(options, other?.port);
  const mode = options.wire === 'proxy-command' ? 'inetd' : 'listen';
  const tun = options.tun === true ? undo.use(await startTunServer(settings)) : undefined;
  const sshd = tun?.sshd ?? undo.use(await startSshd({ ...settings, mode }));
  if (login === 'encrypted-key') await encryptKey(sshd.identityFile);
  const folder = join(sshd.folder, 'both');
  await mkdir(folder);
  await chmod(folder, 0o777);
  const configFile = jump === undefined ? sshd.configFile : await joinConfigs(jump, sshd);
  const { hops } = await resolveRoute(configSource, parseDestination(sshd.destination), { configFile });
  const route: Route = { hops, proxy: proxy?.address };
  const owned = undo.move();
  return {
    route,
    connect: (overrides) =>
      transport.connect(route, {
        verifyHostKey: verifyByKnownHosts,
        authenticate: nobodyToAsk,
        log: silentLogger,
        ...overrides,
      }),
    hostKeyFingerprint: sshd.hostKeyFingerprint,
    knownHostsFile: sshd.knownHostsFile,
    folder,
    jumpHosts:
      jump === undefined ? [] : [{ hostKeyFingerprint: jump.hostKeyFingerprint, cut: async () => await jump.kill() }],
    tunDevice: tun?.devices['point-to-point'],
    dialledByProxy: proxy?.dialled ?? [],
    sessionsOpened: async () => (await sshd.log()).split('\n').filter((line) => line.includes('session_new:')).length,
    contacted: other?.contacted ?? new Promise(() => undefined),
    cut: () => sshd.kill(),
    [Symbol.asyncDispose]: () => owned.disposeAsync(),
  };
}

async function startJumpHost({ jumpKnownHosts }: ComplianceServerOptions): Promise<Sshd> {
  return await startSshd({ mode: 'listen', host: 'jump', knownHosts: jumpKnownHosts });
}

/** One configuration with the blocks of both hosts. */
async function joinConfigs(jump: Sshd, sshd: Sshd): Promise<string> {
  const file = join(sshd.folder, 'ssh_config_of_chain');
  await writeFile(
    file,
    (await Promise.all([jump, sshd].map(({ configFile }) => readFile(configFile, 'utf8')))).join(''),
  );
  return file;
}

async function startProxyFor({ protocol, login }: NonNullable<ComplianceServerOptions['proxy']>): Promise<Proxy> {
  return await startProxy(protocol, login === true ? { user: 'sesam', password: complianceSecret } : undefined);
}

async function encryptKey(file: string): Promise<void> {
  const { exit, stderr } = await createProgramRunner().run({
    file: 'ssh-keygen',
    args: ['-q', '-p', '-P', '', '-N', complianceSecret, '-f', file],
  });
  if (exit.kind !== 'status' || exit.code !== 0) throw new Error(`ssh-keygen failed: ${stderr}`);
}

/** Something that answers on a port and is no SSH server. */
async function startOther(
  behaviour: 'silent' | 'not-ssh' | 'closes',
): Promise<AsyncDisposable & { port: number; contacted: Promise<void> }> {
  const { promise: contacted, resolve } = Promise.withResolvers<void>();
  const sockets = new Set<Socket>();
  const server = createServer((socket) => {
    sockets.add(socket);
    socket.on('error', () => undefined).resume();
    if (behaviour === 'not-ssh') socket.end('HTTP/1.1 400 Bad Request\r\nConnection: close\r\n\r\n');
    if (behaviour === 'closes') socket.end();
    resolve();
  });
  await once(server.listen(0, '127.0.0.1'), 'listening');
  return {
    port: (server.address() as AddressInfo).port,
    contacted,
    async [Symbol.asyncDispose]() {
      for (const socket of sockets) socket.destroy();
      await new Promise<void>((resolve) => server.close(() => resolve()));
    },
  };
}
