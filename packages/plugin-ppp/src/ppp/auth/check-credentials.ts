import { ViasshError } from '@viassh/core';
import type { PppCredentials } from '../ppp-session.ts';

/** Bytes of either: PAP has one byte for each length (RFC 1334 §2.2.1), and pppd reads no more for CHAP. */
const LONGEST = 255;

/**
 * Gives them back when PPP can say them whole.
 *
 * @throws ViasshError OPTION_INVALID
 */
export function checkCredentials(credentials: PppCredentials): PppCredentials {
  for (const what of ['name', 'secret'] as const)
    if (Buffer.byteLength(credentials[what]) > LONGEST)
      throw new ViasshError('OPTION_INVALID', `the ${what} for the far end is longer than ${LONGEST} bytes`, {
        hint: `PPP has no room for it: give the ${what} that stands in pap-secrets or chap-secrets of the far end`,
      });
  return credentials;
}
