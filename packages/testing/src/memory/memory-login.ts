import {
  type ConnectOptions,
  type HostKey,
  readKnownHosts,
  type ResolvedDestination,
  verifyKnownHost,
  ViasshError,
} from '@viassh/core';

/** How the memory server lets people in. `encrypted-key`: the client has to ask for the key's passphrase first. */
export type MemoryLogin =
  | { readonly kind: 'key' }
  | { readonly kind: 'nobody' }
  | { readonly kind: 'encrypted-key'; readonly passphrase: string }
  | { readonly kind: 'password'; readonly password: string };

/**
 * Decides on the host key as the options ask.
 *
 * @throws ViasshError HOST_KEY_UNKNOWN, HOST_KEY_CHANGED, HOST_KEY_REVOKED, HOST_KEY_REFUSED, KNOWN_HOSTS_UNREADABLE
 */
export async function checkHostKey(
  hop: ResolvedDestination,
  key: HostKey,
  { verifyHostKey, log, signal }: ConnectOptions,
): Promise<void> {
  if (verifyHostKey.kind === 'known-hosts') return await verifyKnownHost(hop, await readKnownHosts(hop), key, log);
  const decision = await verifyHostKey
    .verify(key, hop, signal)
    .catch((error: unknown) => ({ accepted: false as const, reason: String(error), cause: error }));
  if (!decision.accepted) {
    throw new ViasshError('HOST_KEY_REFUSED', `the host key of ${hop.hostName} was refused: ${decision.reason}`, {
      cause: 'cause' in decision ? decision.cause : undefined,
    });
  }
}

/**
 * Logs in; gives the method that did it.
 *
 * @throws ViasshError AUTH_FAILED, which names the methods tried.
 */
export async function logIn(
  hop: ResolvedDestination,
  login: MemoryLogin,
  { authenticate, signal }: ConnectOptions,
): Promise<string> {
  if (login.kind === 'key') return 'publickey';
  if (login.kind === 'encrypted-key') {
    const answer = await authenticate?.ask(
      { kind: 'passphrase', text: 'Enter passphrase for key:', echo: false },
      signal,
    );
    if (answer === login.passphrase) return 'publickey';
    throw authFailed(hop, 'publickey');
  }
  if (login.kind === 'nobody') throw authFailed(hop, 'publickey');
  for (let attempt = 0; attempt < hop.numberOfPasswordPrompts; attempt += 1) {
    const answer = await authenticate?.ask(
      { kind: 'password', text: `${hop.user}@${hop.hostName}'s password:`, echo: false },
      signal,
    );
    if (answer === undefined) break;
    if (answer === login.password) return 'password';
  }
  throw authFailed(hop, 'publickey, password');
}

function authFailed(hop: ResolvedDestination, tried: string): ViasshError {
  return new ViasshError('AUTH_FAILED', `${hop.user}@${hop.hostName} could not log in; tried: ${tried}`, {
    hint: 'check the user name and the key',
  });
}
