import { chmod, mkdir, writeFile } from 'node:fs/promises';
import { join } from 'node:path';
import {
  fingerprint,
  formatKnownHostsLine,
  type HostKey,
  nobodyToAsk,
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

/** The memory transport for the compliance suite: shows that the suite can be passed. It has no wire, whatever is asked for. */
export function memoryHarness(): ComplianceHarness {
  return { name: 'memory', transport: createMemoryTransport(), missing: async () => undefined, serve };
}

async function serve(options: ComplianceServerOptions = {}): Promise<ComplianceServer> {
  const { maxSessions = 100, behaviour, login = 'key', knownHosts = 'good' } = options;
  const transport: MemoryTransport = createMemoryTransport({ maxSessions, behaviour, login: logins[login] });
  const { server } = transport;
  const scratch = await makeScratchFolder();
  const folder = join(scratch.path, 'both');
  await mkdir(folder);
  await chmod(folder, 0o777);
  const knownHostsFile = join(scratch.path, 'known_hosts');
  if (knownHosts === 'unreadable') await mkdir(knownHostsFile);
  else await writeFile(knownHostsFile, knownHostsText(knownHosts, server.hostKey));
  const route = memoryRoute({
    userKnownHostsFiles: [knownHostsFile],
    strictHostKeyChecking: options.strictHostKeyChecking ?? 'yes',
    connectTimeout: options.connectTimeout,
  });
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
    contacted: server.contacted,
    cut: async () => server.cut(),
    async [Symbol.asyncDispose]() {
      server.cut();
      await scratch[Symbol.asyncDispose]();
    },
  };
}

function knownHostsText(state: 'good' | 'empty' | 'changed' | 'revoked', key: HostKey): string {
  if (state === 'empty') return '';
  const line = formatKnownHostsLine('memory.test', state === 'changed' ? makeHostKey() : key);
  return state === 'revoked' ? `${line}@revoked ${line}` : line;
}
