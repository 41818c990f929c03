import { randomBytes } from 'node:crypto';
import { Duplex } from 'node:stream';
import {
  abortedError,
  bridge,
  describeExit,
  type ExitStatus,
  type PluginContext,
  sanitize,
  systemClock,
  toViasshError,
  ViasshError,
} from '@viassh/core';
import type { LinkTerms } from '../carrier/packet-carrier.ts';
import { pppCarrier } from '../carrier/ppp-carrier.ts';
import { openFarLink } from '../far-ends/auto-far-link.ts';
import type { FarLinkRequest } from '../far-ends/far-link.ts';
import { startFarProgram } from '../far-ends/far-program.ts';
import { pppdCommand } from '../far-ends/pppd-command.ts';
import { pppdWords } from '../far-ends/pppd-exit.ts';
import { startSlirp } from '../far-ends/slirp-far-link.ts';
import type { LinkParts } from '../link/run-link.ts';
import { type LinkPlan, USUAL_MTU } from '../plan/link-plan.ts';
import { familyOf } from '../plan/parse-link-address.ts';
import { usualAddresses } from '../plan/usual-addresses.ts';
import { createPppSession } from '../ppp/create-ppp-session.ts';
import { joinCarriers } from './join-carriers.ts';

/**
 * PPP on stdin and stdout, for a pppd of this machine. A pppd or slirp of the far end gets its bytes as they are; to other
 * far ends, our own stack is the server that pppd speaks with.
 *
 * @throws ViasshError ABORTED; of the far end
 */
export async function runStdioLink(
  context: PluginContext,
  asked: LinkPlan,
  parts: Pick<LinkParts, 'openers' | 'clock'>,
): Promise<ExitStatus> {
  // The routes are pppd's, and so is what may come by them.
  const plan = { ...asked, routes: ['default'] };
  const { connection, log, signal } = context;
  const request: FarLinkRequest = {
    connection,
    plan,
    usual: usualAddresses(connection.info.peer, plan.device),
    vnetHeader: false,
    credentials: () => Promise.resolve(undefined),
    clock: parts.clock ?? systemClock,
    log,
    signal,
  };
  const [only] = plan.far;
  if (only === 'pppd' || only === 'slirp') return await pipeThrough(context, request, only);
  return await answerHere(context, request, parts);
}

async function pipeThrough(
  { stdio, log, signal }: PluginContext,
  request: FarLinkRequest,
  kind: 'pppd' | 'slirp',
): Promise<ExitStatus> {
  const { connection, plan, usual, clock } = request;
  const addresses = plan.addresses.length > 0 ? plan.addresses : usual;
  const command = plan.command ?? pppdCommand({ addresses, mtu: plan.mtu, name: plan.name });
  const program =
    kind === 'slirp'
      ? await startSlirp(request)
      : await startFarProgram({ connection, command, who: 'pppd there', clock, log, signal });
  const { done } = bridge(program.channel, { input: stdio.input, output: stdio.output }, { signal });
  let hungUp = false;
  if (kind === 'slirp')
    stdio.input.once('end', () => {
      hungUp = true; // a raw terminal has no end of its input: slirp would never hear of it
      program.channel.destroy();
    });
  await done;
  if (hungUp) return { kind: 'status', code: 0 };
  const exit = await program.channel.exit;
  const words = kind === 'pppd' ? pppdWords(exit) : undefined;
  if (exit.kind === 'signal' || (exit.kind === 'status' && exit.code !== 0))
    log.warning(
      sanitize(`${kind} of the far end ended with ${describeExit(exit)}${words === undefined ? '' : `: ${words}`}`),
    );
  return exit;
}

async function answerHere(
  { stdio, log, signal }: PluginContext,
  request: FarLinkRequest,
  { openers }: Pick<LinkParts, 'openers'>,
): Promise<ExitStatus> {
  const { plan, clock } = request;
  const kinds = plan.far.filter((kind) => kind === 'viassh' || kind === 'tun');
  const far = await openFarLink(kinds, openers, request);
  await using carrier = far.carrier;
  const stream: Duplex = Duplex.from({ readable: stdio.input, writable: stdio.output });
  await using near = pppCarrier(stream, (ends) =>
    createPppSession({ ...ends, clock, randomBytes, log, ...serverTerms(far.terms, plan) }),
  );
  const onAbort = (): void => void near.close();
  signal.addEventListener('abort', onAbort, { once: true });
  if (signal.aborted) onAbort();
  try {
    await near.agreed.catch(ofThisMachine);
    joinCarriers(near, carrier);
    await Promise.race([near.closed.catch(ofThisMachine), carrier.closed]);
  } catch (error) {
    if (signal.aborted) throw abortedError(signal.reason);
    throw error;
  } finally {
    signal.removeEventListener('abort', onAbort);
  }
  if (signal.aborted) throw abortedError(signal.reason);
  return { kind: 'status', code: 0 };
}

/** To our stack pppd is the far end; who reads of it is between the two. */
function ofThisMachine(thrown: unknown): never {
  const error = toViasshError(thrown);
  throw new ViasshError(error.code, `PPP on stdin and stdout, seen from here: ${error.message}`, {
    hint: error.hint ?? '--stdio is the line of a pppd of this machine: viassh recipe pppd writes what it needs',
    cause: error,
  });
}

/** To the pppd here we are its other end: its address is ours of the link, and what we say of us is the far end's. */
function serverTerms(
  terms: LinkTerms,
  plan: LinkPlan,
): {
  localAddress: string | undefined;
  remoteAddress: string | undefined;
  offerDns: readonly string[];
  acceptFrom: readonly string[];
  ipv6: boolean;
  mru: number;
  accm: number;
} {
  const v4 = terms.addresses.find((address) => familyOf(address) === 4);
  return {
    localAddress: v4?.remote,
    remoteAddress: v4?.local,
    offerDns: terms.dns.filter((address) => !address.includes(':')).slice(0, 2),
    acceptFrom: ['0.0.0.0/0', '::/0'],
    ipv6: true,
    mru: Math.min(terms.mtu, plan.mtu ?? USUAL_MTU),
    accm: 0,
  };
}
