import { isViasshError, ViasshError } from '@viassh/core';
import type { FarKind } from '../plan/link-plan.ts';
import type { FarLink, FarLinkRequest, OpenFarLink } from './far-link.ts';

/** One attempt that failed, and why. */
interface Attempt {
  readonly kind: FarKind;
  readonly error: ViasshError;
}

/** What the server would need for each, where it has none. */
const needs: Readonly<Record<FarKind, string>> = {
  viassh: 'viassh in the PATH of the account there, and root or a device of its own (--command names another place)',
  tun: 'sshd_config PermitTunnel yes there, and root, or a device that root has made for the account',
  pppd: 'the package ppp there, and an account in the group dip (viassh account ppp)',
  slirp: 'the package slirp there; it needs no root',
};

/**
 * Tries what may be the other end, one after the other, and takes the first that is there. Each answer is from an attempt.
 *
 * @throws ViasshError of the one kind that was asked for; FAR_LINK_MISSING with all that was tried; at once what no other
 * kind would change: ABORTED, a lost connection, a proof that was not accepted
 */
export async function openFarLink(
  kinds: readonly FarKind[],
  openers: Readonly<Record<FarKind, OpenFarLink>>,
  request: FarLinkRequest,
): Promise<FarLink> {
  const tried: Attempt[] = [];
  for (const kind of kinds) {
    try {
      return await openers[kind](request);
    } catch (error) {
      if (kinds.length === 1 || !isViasshError(error) || !mayBeAnother(error)) throw error;
      request.log.info(`${kind}: ${error.message}`);
      tried.push({ kind, error });
    }
  }
  throw new ViasshError(
    'FAR_LINK_MISSING',
    `the far end has no other end for a link; tried ${tried.map(({ kind, error }) => `${kind} (${error.message})`).join('; ')}`,
    {
      hint: `one of these there would do: ${tried.map(({ kind }) => `${kind}: ${needs[kind]}`).join('; ')}`,
      cause: tried.at(-1)?.error,
    },
  );
}

/** Failures that say nothing of the other kinds. */
const otherwise: ReadonlySet<string> = new Set([
  'CAPABILITY_MISSING',
  'CHANNEL_REFUSED',
  'FAR_LINK_MISSING',
  'PPP_FAILED',
  'PPP_LOOPED',
  'PPP_SILENT',
  'PROTOCOL_ERROR',
  'REQUEST_REFUSED',
  'TUN_FORBIDDEN',
  'TUN_MISSING',
]);

function mayBeAnother({ code }: ViasshError): boolean {
  return otherwise.has(code);
}
