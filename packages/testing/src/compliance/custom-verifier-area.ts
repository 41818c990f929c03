import {
  fingerprint,
  type HostKey,
  type HostKeyDecision,
  type ResolvedDestination,
  verifyByFingerprint,
} from '@viassh/core';
import type { ComplianceArea } from './compliance-case.ts';
import { codeOf, failureOf } from './collect.ts';

/** Transport: the caller's own host key verifier. */
export const customVerifierArea: ComplianceArea = {
  name: 'custom host key verifier',
  cases: [
    {
      name: 'sees the key and the hop, and its yes is enough',
      needs: ['custom-host-key-verifier'],
      run: async (t, { serve }) => {
        const server = await serve({ knownHosts: 'empty' });
        const seen: [HostKey, ResolvedDestination][] = [];
        const verify = async (key: HostKey, hop: ResolvedDestination): Promise<{ accepted: true }> => {
          seen.push([key, hop]);
          return { accepted: true };
        };
        await using _connection = await server.connect({ verifyHostKey: { kind: 'custom', verify } });
        t.ok(seen.length >= 1, 'it was asked');
        for (const [key, hop] of seen) {
          t.equal(fingerprint(key.blob), server.hostKeyFingerprint);
          t.equal(key.type, 'ssh-ed25519');
          t.equal(hop.user, server.route.hops.at(-1)?.user);
        }
      },
    },
    {
      name: 'its no is HOST_KEY_REFUSED with its reason',
      needs: ['custom-host-key-verifier'],
      run: async (t, { serve }) => {
        const server = await serve();
        const error = await failureOf(server.connect({ verifyHostKey: { kind: 'custom', verify: sayNo } }));
        t.equal(error.code, 'HOST_KEY_REFUSED');
        t.match(error.message, /not today/);
      },
    },
    {
      name: 'an error thrown in it is a refusal',
      needs: ['custom-host-key-verifier'],
      run: async (t, { serve }) => {
        const server = await serve();
        t.equal(await codeOf(server.connect({ verifyHostKey: { kind: 'custom', verify: fail } })), 'HOST_KEY_REFUSED');
      },
    },
    {
      name: 'decides alone: a good known_hosts does not help',
      needs: ['custom-host-key-verifier'],
      run: async (t, { serve }) => {
        const server = await serve({ knownHosts: 'good' });
        t.equal(
          await codeOf(server.connect({ verifyHostKey: verifyByFingerprint('SHA256:none') })),
          'HOST_KEY_REFUSED',
        );
      },
    },
    {
      name: 'decides alone: a changed key in known_hosts does not matter, and the file stays as it is',
      needs: ['custom-host-key-verifier'],
      run: async (t, { serve }) => {
        const server = await serve({ knownHosts: 'changed' });
        await using connection = await server.connect({
          verifyHostKey: verifyByFingerprint(server.hostKeyFingerprint),
        });
        t.ok(connection.info.hostKey?.includes(server.hostKeyFingerprint));
        t.equal(await codeOf(server.connect()), 'HOST_KEY_CHANGED');
      },
    },
    {
      name: 'an abort while it thinks: ABORTED',
      needs: ['custom-host-key-verifier'],
      run: async (t, { serve }) => {
        const server = await serve();
        const controller = new AbortController();
        const { promise: asked, resolve } = Promise.withResolvers<void>();
        const verify = (): Promise<never> => {
          resolve();
          return new Promise(() => undefined);
        };
        const connecting = codeOf(
          server.connect({ verifyHostKey: { kind: 'custom', verify }, signal: controller.signal }),
        );
        await asked;
        controller.abort();
        t.equal(await connecting, 'ABORTED');
      },
    },
  ],
};

async function sayNo(): Promise<HostKeyDecision> {
  return { accepted: false, reason: 'not today' };
}

async function fail(): Promise<never> {
  throw new Error('the list of keys is not there');
}
