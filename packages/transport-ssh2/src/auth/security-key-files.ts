import type { ResolvedDestination } from '@viassh/core';
import { settingUnsupported } from '../unsupported-settings.ts';
import { isDefaultPlace } from './identities.ts';
import { readKeyFile } from './key-file.ts';

/**
 * Refuses a security key (`sk-*`) that the configuration names, and one that is all there is when no agent's keys may be
 * used. One that merely lies in one of ssh's own places beside others is passed over at the login.
 *
 * @throws ViasshError SETTING_UNSUPPORTED
 */
export async function refuseSecurityKeys(
  hop: Pick<ResolvedDestination, 'hostName' | 'identityFiles' | 'identitiesOnly' | 'pubkeyAuthentication'>,
): Promise<void> {
  if (!hop.pubkeyAuthentication) return;
  const files = await Promise.all([...new Set(hop.identityFiles)].map(readKeyFile));
  const there = files.flatMap(({ file, publicKey }) =>
    publicKey === undefined ? [] : [{ file, type: publicKey.type }],
  );
  const security = there.filter(({ type }) => type.startsWith('sk-'));
  const isAll = hop.identitiesOnly && security.length === there.length;
  const meant = security.find(({ file }) => isAll || !isDefaultPlace(file));
  if (meant !== undefined)
    throw settingUnsupported(hop, `IdentityFile ${meant.file} (ssh2 has no security keys: ${meant.type})`);
}
