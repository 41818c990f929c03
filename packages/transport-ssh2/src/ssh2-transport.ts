import { type Availability, type ProgramRunner, type Transport } from '@viassh/core';
import { ssh2Capabilities } from './capabilities.ts';
import { describeSsh2 } from './ssh2-private/installed.ts';

/** What the transport gets from outside. */
export interface Ssh2TransportOptions {
  /** Runs ProxyCommand. */
  readonly programs: ProgramRunner;
}

/**
 * The in-process transport on npm ssh2: no ssh binary, fewest round trips. It cannot do certificates, security keys
 * (`sk-*`), PKCS#11, GSSAPI and post-quantum key exchange; what the configuration asks of these is SETTING_UNSUPPORTED.
 */
export function createSsh2Transport({ programs }: Ssh2TransportOptions): Transport {
  return {
    name: 'ssh2',
    capabilities: ssh2Capabilities,
    available,
    prepare: async () => void (await import('./open-route.ts')),
    async connect(route, options) {
      const { openRoute } = await import('./open-route.ts'); // ssh2 is loaded with it, and only now
      return await openRoute(route, options, programs);
    },
  };
}

async function available(): Promise<Availability> {
  try {
    const { version, nativeCiphers } = describeSsh2();
    return {
      ok: true,
      detail: `ssh2 ${version} in-process, ${nativeCiphers ? 'native ciphers' : 'JavaScript ciphers, slower'}`,
    };
  } catch (error) {
    return { ok: false, reason: `npm ssh2 does not load: ${error instanceof Error ? error.message : String(error)}` };
  }
}
