import {
  type Clock,
  type ExitStatus,
  type PacketDevice,
  type PluginContext,
  systemClock,
  type TunMode,
} from '@viassh/core';
import type { LinkTerms } from '../carrier/packet-carrier.ts';
import type { FarLink, OpenFarLink } from '../far-ends/far-link.ts';
import { readCredentials, type SecretSource } from '../far-ends/secret.ts';
import type { FarKind, LinkPlan } from '../plan/link-plan.ts';
import { familyOf } from '../plan/parse-link-address.ts';
import { usualAddresses } from '../plan/usual-addresses.ts';
import { LinkEnd } from './link-end.ts';
import { LinkOpener } from './link-opener.ts';
import { type LinkScriptOptions, LinkScripts } from './link-scripts.ts';
import { LinkSwitch } from './link-switch.ts';
import { describeFarEnd, describeLink, describeTraffic } from './link-words.ts';
import type { NearNetwork } from './near-network.ts';

/** What a link is made of. */
export interface LinkParts {
  /** @throws ViasshError as openTunDevice of `@viassh/linux` */
  openDevice(options: {
    readonly mode: TunMode;
    readonly name?: string | undefined;
    readonly vnetHeader?: boolean | undefined;
    readonly mtu?: number | undefined;
  }): Promise<PacketDevice>;
  /** Undoes what links of processes that are gone have left behind. */
  openNetwork(): Promise<NearNetwork>;
  readonly openers: Readonly<Record<FarKind, OpenFarLink>>;
  /** Can devices here have packets behind a virtio_net_hdr? */
  readonly vnetHeader: boolean;
  readonly clock?: Clock | undefined;
}

/** What of the options is no part of the plan. */
export type LinkRunOptions = SecretSource & LinkScriptOptions;

/**
 * One IP link: a device here that stays, and another end that is opened anew after each loss. Ends with the signal, with
 * the other end's program, whose status is the result, and with what no further attempt would change; all that was set
 * here is undone then.
 *
 * @throws ViasshError ABORTED; of the device, the network and the far end
 */
export async function runLink(
  context: PluginContext,
  plan: LinkPlan,
  options: LinkRunOptions,
  parts: LinkParts,
): Promise<ExitStatus> {
  const { connection, log, programs, signal, signals, supervisor } = context;
  const { clock = systemClock } = parts;
  const { peer } = connection.info;
  const opener = new LinkOpener(
    context,
    {
      connection,
      plan,
      usual: usualAddresses(peer, plan.device),
      vnetHeader: parts.vnetHeader,
      credentials: async () => await readCredentials(options, { programs, peer, signal }),
      clock,
      log,
      signal,
    },
    parts.openers,
  );
  const network = await parts.openNetwork();
  await network.check(plan.addresses, plan.device);
  await using far = new FarLinkHolder(await opener.open());
  const terms = (): LinkTerms => completeTerms(far.link.terms, plan);
  await using device = await parts.openDevice({
    mode: plan.mode,
    name: plan.device,
    vnetHeader: far.link.carrier.vnetHeader,
    mtu: terms().mtu,
  });
  await using _undone = network;
  using _dialled = supervisor?.onState(({ kind }) => {
    if (kind === 'connecting') void network.findWaysAgain();
  });
  using end = new LinkEnd(context, device);
  const linked = new LinkSwitch(device);
  using _told = signals?.onStatus(() =>
    log.warning(`${describeLink(device.name, far.link, terms())}; ${describeTraffic(linked.traffic)}`),
  );
  await using scripts = new LinkScripts(context, options, () => ({ device: device.name, peer, terms: terms() }), clock);
  for (;;) {
    await network.set({
      device: device.name,
      mode: plan.mode,
      mtu: terms().mtu,
      addresses: terms().addresses,
      routes: plan.routes,
      nameServers: [...plan.nameServers, ...(plan.dns ? terms().dns : [])],
      onDown: plan.onDown,
      keep: plan.keep,
      connection: connection.info,
    });
    linked.join(far.link.carrier);
    log.warning(describeLink(device.name, far.link, terms()));
    void scripts.up(() => linked.traffic).then(() => context.ready());
    const over = await end.or(far.link.carrier.closed);
    linked.leave();
    if (over.kind === 'stop') throw over.error;
    if (over.kind === 'far-end') {
      const exit = await far.link.ended();
      log.warning(describeFarEnd(far.link, exit));
      return exit ?? { kind: 'status', code: 0 };
    }
    const loss = await far.link.explain(over.error);
    log.warning(`${device.name} is down: ${loss.message}`);
    await network.linkDown();
    far.link = await opener.openAgain(far.link.kind, loss);
  }
}

/** The terms, with what was asked for in families of which the far end says nothing. */
function completeTerms(terms: LinkTerms, { addresses }: LinkPlan): LinkTerms {
  const told = new Set(terms.addresses.filter(({ local }) => !local.startsWith('fe80:')).map(familyOf));
  return { ...terms, addresses: [...terms.addresses, ...addresses.filter((address) => !told.has(familyOf(address)))] };
}

/** Closes the carrier of the moment. */
class FarLinkHolder implements AsyncDisposable {
  link: FarLink;

  constructor(link: FarLink) {
    this.link = link;
  }

  async [Symbol.asyncDispose](): Promise<void> {
    await this.link.carrier.close();
  }
}
