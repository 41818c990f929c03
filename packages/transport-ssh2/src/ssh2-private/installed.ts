import { createRequire } from 'node:module';

const require = createRequire(import.meta.url);

/** The names that this ssh2 on this Node can do. */
export function supportedAlgorithms(): { ciphers: string[]; macs: string[]; kex: string[]; hostKeys: string[] } {
  const constants = require('ssh2/lib/protocol/constants.js') as Record<string, string[]>;
  const list = (name: string): string[] => constants[name] ?? [];
  return {
    ciphers: list('SUPPORTED_CIPHER'),
    macs: list('SUPPORTED_MAC'),
    kex: list('SUPPORTED_KEX'),
    hostKeys: list('SUPPORTED_SERVER_HOST_KEY'),
  };
}

/** Version, and whether the crypto addon is loaded. Loads a small part of ssh2 only. */
export function describeSsh2(): { version: string; nativeCiphers: boolean } {
  const { version } = require('ssh2/package.json') as { version: string };
  const { bindingAvailable } = require('ssh2/lib/protocol/crypto.js') as { bindingAvailable: boolean };
  return { version, nativeCiphers: bindingAvailable };
}
