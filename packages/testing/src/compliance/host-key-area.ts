import { readFile } from 'node:fs/promises';
import type { ComplianceArea } from './compliance-case.ts';
import { failureOf } from './collect.ts';

/** Transport: host keys by the known_hosts files. */
export const hostKeyArea: ComplianceArea = {
  name: 'host keys',
  cases: [
    ...(
      [
        ['empty', 'HOST_KEY_UNKNOWN', 'an unknown key is accepted'],
        ['changed', 'HOST_KEY_CHANGED', 'a changed key is accepted'],
        ['revoked', 'HOST_KEY_REVOKED', 'a revoked key is accepted'],
      ] as const
    ).map(
      ([knownHosts, code, breaks]) =>
        ({
          name: `never that ${breaks}: ${code} with its fingerprint and a hint`,
          run: async (t, { serve }) => {
            const server = await serve({ knownHosts });
            const error = await failureOf(server.connect());
            t.equal(error.code, code);
            t.ok(error.message.includes(server.hostKeyFingerprint), error.message);
            t.ok(error.hint);
          },
        }) satisfies ComplianceArea['cases'][number],
    ),
    {
      name: 'never that an unreadable known_hosts is taken for an empty one: KNOWN_HOSTS_UNREADABLE',
      run: async (t, { serve }) => {
        const server = await serve({ knownHosts: 'unreadable' });
        const error = await failureOf(server.connect());
        t.equal(error.code, 'KNOWN_HOSTS_UNREADABLE');
        t.ok(error.message.includes(server.knownHostsFile), error.message);
      },
    },
    {
      name: 'never that a refusal writes to known_hosts',
      run: async (t, { serve }) => {
        const server = await serve({ knownHosts: 'empty' });
        await failureOf(server.connect());
        t.equal(await readFile(server.knownHostsFile, 'utf8'), '');
      },
    },
    {
      name: 'accept-new writes the key down once, and knows it the next time',
      run: async (t, { serve }) => {
        const server = await serve({ knownHosts: 'empty', strictHostKeyChecking: 'accept-new' });
        await (await server.connect()).close();
        await (await server.connect()).close();
        t.equal((await readFile(server.knownHostsFile, 'utf8')).trim().split('\n').length, 1);
      },
    },
    {
      name: 'accept-new does not accept a changed key',
      run: async (t, { serve }) => {
        const server = await serve({ knownHosts: 'changed', strictHostKeyChecking: 'accept-new' });
        t.equal((await failureOf(server.connect())).code, 'HOST_KEY_CHANGED');
      },
    },
  ],
};
