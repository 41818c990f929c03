import { chmod, mkdir, writeFile } from 'node:fs/promises';
import { join } from 'node:path';
import {
  fingerprint,
  formatKnownHostsLine,
  type HostKey,
  nobodyToAsk,
  type Route,
  silentLogger,
  verifyByKnownHosts,
} from '@viassh/core';
import { makeHostKey } from '../memory/memory-server.ts';
import { createMemoryTransport, memoryRoute, type MemoryTransport } from '../memory/memory-transport.ts';
import type { MemoryLogin } from '../memory/memory-login.ts';
import { makeScratchFolder } from '../sshd/scratch-folder.ts';
import {
  type ComplianceHarness,
  complianceSecret,
  type ComplianceServer,
  type ComplianceServerOptions,
} from './harness.ts';

const logins: Readonly<Record<NonNullable<ComplianceServerOptions['login']>, MemoryLogin>> = {
  key: { kind: 'key' },
  'wrong-key': { kind: 'nobody' },
  'encrypted-key': { kind: 'encrypted-key', passphrase: complianceSecret },
  password: { kind: 'password', password: complianceSecret },
};

const wireNames = {
  'forwarded-tcpip': 'forwarded-tcpip',
  'forwarded-streamlocal': 'forwarded-streamlocal@openssh.com',
  tun: 'tun@openssh.com',
} as const;

/** The memory transport for the compliance suite: shows that the suite can be passed. It has no wire, whatever is asked for. */
export function memoryHarness(): ComplianceHarness {
  return { name: 'memory', transport: createMemoryTransport(), hasWire: false, missing: async () => undefined, serve };
}

async function serve(options: ComplianceServerOptions = {}): Promise<ComplianceServer> {
  const { maxSessions = 100, behaviour, login = 'key', knownHosts = 'good', jumpKnownHosts = 'good' } = options;
  const jumpHosts = options.hops === 2 ? [createMemoryTransport().server] : [];
  const transport: MemoryTransport = createMemoryTransport({
    maxSessions,
    behaviour,
    login: logins[login],
    refuse: (options.refuse ?? []).map((type) => wireNames[type]),
    permitListen: options.permitListen === undefined ? undefined : [options.permitListen],
    jumpHosts,
  });
  const { server } = transport;
  const scratch = await makeScratchFolder();
  const folder = join(scratch.path, 'both');
  await mkdir(folder);
  await chmod(folder, 0o777);
  const knownHostsFile = join(scratch.path, 'known_hosts');
  if (knownHosts === 'unreadable') await mkdir(knownHostsFile);
  else {
    const lines = [
      knownHostsText(knownHosts, 'memory.test', server.hostKey),
      ...jumpHosts.map(({ hostKey }) => knownHostsText(jumpKnownHosts, 'jump.test', hostKey)),
    ];
    await writeFile(knownHostsFile, lines.join(''));
  }
  const settings = {
    userKnownHostsFiles: [knownHostsFile],
    strictHostKeyChecking: options.strictHostKeyChecking ?? 'yes',
    connectTimeout: options.connectTimeout,
    compression: options.compression ?? false,
    forwardAgent: options.forwardAgent === 'yes' || (options.forwardAgent ?? false),
  };
  const [last] = memoryRoute(settings).hops;
  const jumps = jumpHosts.map(() => memoryRoute({ ...settings, hostName: 'jump.test', user: 'jumper' }).hops[0]);
  const route: Route = { hops: [...jumps, last] };
  return {
    route,
    connect: (overrides) =>
      transport.connect(route, {
        verifyHostKey: verifyByKnownHosts,
        authenticate: nobodyToAsk,
        log: silentLogger,
        ...overrides,
      }),
    hostKeyFingerprint: fingerprint(server.hostKey.blob),
    knownHostsFile,
    folder,
    jumpHosts: jumpHosts.map((jump) => ({
      hostKeyFingerprint: fingerprint(jump.hostKey.blob),
      cut: async () => jump.cut(),
    })),
    tunDevice: { unit: 7, ipv4: '198.18.7.1', ipv6: 'fd98:7::1', ourIpv4: '198.18.7.2', ourIpv6: 'fd98:7::2' },
    dialledByProxy: [],
    sessionsOpened: async () => server.sessionsOpened,
    contacted: server.contacted,
    cut: async () => server.cut(),
    async [Symbol.asyncDispose]() {
      server.cut();
      await scratch[Symbol.asyncDispose]();
    },
  };
}

function knownHostsText(state: 'good' | 'empty' | 'changed' | 'revoked', host: string, key: HostKey): string {
  if (state === 'empty') return '';
  const line = formatKnownHostsLine(host, state === 'changed' ? makeHostKey() : key);
  return state === 'revoked' ? `${line}@revoked ${line}` : line;
}
