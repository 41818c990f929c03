import { randomBytes } from 'node:crypto';
import type { PppSessionMaker } from '../carrier/ppp-carrier.ts';
import { createPppSession } from '../ppp/create-ppp-session.ts';
import type { PppCredentials } from '../ppp/ppp-session.ts';
import { sourcesOf, USUAL_MTU } from '../plan/link-plan.ts';
import { familyOf } from '../plan/parse-link-address.ts';
import type { FarLinkRequest } from './far-link.ts';

/** Two minutes of silence end a link; what the connection itself notices comes sooner. */
const ECHO = { echoIntervalMs: 20_000, echoFailures: 6 } as const;

/** The client's side of PPP, as it was asked for. */
export function clientSession(
  { plan, clock, log }: Pick<FarLinkRequest, 'plan' | 'clock' | 'log'>,
  credentials: PppCredentials | undefined,
  known: { readonly remoteAddress?: string; readonly ipv6: boolean },
): PppSessionMaker {
  const own = plan.addresses.find((address) => familyOf(address) === 4);
  return (ends) =>
    createPppSession({
      ...ends,
      ...ECHO,
      clock,
      randomBytes,
      log,
      credentials,
      localAddress: own?.local,
      remoteAddress: own?.remote ?? known.remoteAddress,
      acceptFrom: sourcesOf(plan),
      askDns: plan.dns,
      ipv6: known.ipv6,
      mru: plan.mtu ?? USUAL_MTU,
      accm: 0,
    });
}
