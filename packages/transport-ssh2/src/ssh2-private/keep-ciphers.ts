import type { Client } from 'ssh2';

/** The addon's objects of every key exchange of this process, their keys freed with their connection. */
const kept: object[] = [];

/**
 * Keeps the addon's cipher objects from the garbage collector. It would run their destructor with no environment entered,
 * where Node (24.21) aborts the process: `RemoveEnvironmentCleanupHook`, `env != nullptr`. Two small objects for each key
 * exchange stay; what is large in them, and their keys, ssh2 frees with the connection. Call with each `handshake`.
 */
export function keepCiphers(client: Client): void {
  const { _cipher, _decipher } = (client as unknown as Inside)._protocol;
  for (const { _instance } of [_cipher, _decipher]) if (_instance !== undefined) kept.push(_instance);
}

interface Inside {
  readonly _protocol: Readonly<Record<'_cipher' | '_decipher', { readonly _instance?: object }>>;
}
