import { Duplex } from 'node:stream';
import {
  abortedError,
  type ExitStatus,
  type LocalContext,
  type PacketDevice,
  systemClock,
  toViasshError,
} from '@viassh/core';
import { frameCarrier } from '../carrier/frame-carrier.ts';
import type { LinkTerms } from '../carrier/packet-carrier.ts';
import { type LinkScriptOptions, LinkScripts } from '../link/link-scripts.ts';
import { LinkSwitch } from '../link/link-switch.ts';
import { describeLink } from '../link/link-words.ts';
import type { NearNetwork } from '../link/near-network.ts';
import type { LinkParts } from '../link/run-link.ts';
import { type LinkPlan, sourcesOf } from '../plan/link-plan.ts';
import { ownNameServers } from './name-servers.ts';

const LARGEST_MTU = 65_535;

/**
 * The other end of a link, on stdin and stdout: a device here, with what the two ends have agreed on. It is up before this
 * end has said so. Ends with the link.
 *
 * @throws ViasshError ABORTED; of the device, the network and the carrier
 */
export async function serveLink(
  { stdio, log, signal, programs }: LocalContext,
  plan: LinkPlan,
  options: LinkScriptOptions,
  parts: Pick<LinkParts, 'openDevice' | 'openNetwork' | 'vnetHeader' | 'clock'>,
): Promise<ExitStatus> {
  const { clock = systemClock } = parts;
  const stream: Duplex = Duplex.from({ readable: stdio.input, writable: stdio.output });
  await using undo = new AsyncDisposableStack();
  const dns = await ownNameServers();
  let device: PacketDevice | undefined;
  const prepare = async (terms: LinkTerms & { readonly vnetHeader: boolean }): Promise<void> => {
    const opened = await parts.openDevice({
      mode: plan.mode,
      name: plan.device,
      vnetHeader: terms.vnetHeader,
      mtu: terms.mtu,
    });
    undo.use(opened);
    const network: NearNetwork = undo.use(await parts.openNetwork());
    await network.set({
      device: opened.name,
      mode: plan.mode,
      mtu: terms.mtu,
      addresses: terms.addresses,
      routes: plan.routes,
      nameServers: plan.nameServers,
      onDown: plan.onDown,
      keep: plan.keep,
    });
    device = opened;
  };
  const carrier = frameCarrier(stream, {
    offer: {
      end: 'far',
      mode: plan.mode,
      vnetHeader: parts.vnetHeader,
      mtu: plan.mtu ?? LARGEST_MTU,
      addresses: plan.addresses,
      dns,
    },
    acceptFrom: sourcesOf(plan),
    prepare,
    clock,
  });
  const onAbort = (): void => void carrier.close();
  signal.addEventListener('abort', onAbort, { once: true });
  if (signal.aborted) onAbort();
  try {
    const terms = await carrier.agreed;
    if (device === undefined) throw abortedError(signal.reason);
    const opened = device;
    const linked = new LinkSwitch(opened);
    const situation = (): { device: string; peer: string; terms: LinkTerms } => ({
      device: opened.name,
      peer: '',
      terms,
    });
    await using scripts = new LinkScripts({ programs, log, signal }, options, situation, clock);
    linked.join(carrier);
    void scripts.up(() => linked.traffic);
    log.info(describeLink(opened.name, { what: 'viassh of the near end' }, terms));
    await Promise.race([carrier.closed, opened.closed]);
    linked.leave();
  } catch (error) {
    if (signal.aborted) throw abortedError(signal.reason);
    throw toViasshError(error);
  } finally {
    signal.removeEventListener('abort', onAbort);
    await carrier.close();
    stream.destroy();
  }
  if (signal.aborted) throw abortedError(signal.reason);
  return { kind: 'status', code: 0 };
}
