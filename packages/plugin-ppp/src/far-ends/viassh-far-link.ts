import { exitCodeOf, isViasshError, ViasshError } from '@viassh/core';
import { frameCarrier } from '../carrier/frame-carrier.ts';
import { sourcesOf, USUAL_MTU } from '../plan/link-plan.ts';
import type { FarLink, FarLinkRequest } from './far-link.ts';
import { causeWith, type FarProgram, startFarProgram, withExit } from './far-program.ts';

/** `viassh ppp --serve` on the far end: frames of our own, and the kernel's segmentation where both ends have it. */
export async function openViasshLink(request: FarLinkRequest): Promise<FarLink> {
  const { connection, plan, usual, vnetHeader, clock, log, signal } = request;
  const command = plan.command ?? `exec viassh ppp --serve${plan.mode === 'ethernet' ? ' --ethernet' : ''}`;
  const program = await startFarProgram({ connection, command, who: 'viassh there', clock, log, signal });
  const carrier = frameCarrier(program.channel, {
    offer: {
      end: 'near',
      mode: plan.mode,
      vnetHeader,
      mtu: plan.mtu ?? USUAL_MTU,
      addresses: plan.addresses.length > 0 ? plan.addresses : usual.map((address) => ({ ...address, usual: true })),
      dns: [],
    },
    acceptFrom: sourcesOf(plan),
    clock,
  });
  try {
    const terms = await carrier.agreed;
    return {
      kind: 'viassh',
      carrier,
      terms,
      what: 'viassh of the far end',
      ended: () => program.ended(),
      explain: async (error) => await whyEnded(program, error),
    };
  } catch (error) {
    await carrier[Symbol.asyncDispose]();
    throw await whyEnded(program, error as ViasshError);
  }
}

/** What the program there says weighs more than what the loss of its stream looks like. */
async function whyEnded(program: FarProgram, error: ViasshError): Promise<ViasshError> {
  const exit = await program.ended();
  if (exit === undefined || isViasshError(error, 'ABORTED')) return error;
  const code = exitCodeOf(exit);
  if (exit.kind === 'status' && (code === 127 || code === 126))
    return new ViasshError('FAR_LINK_MISSING', `the far end has no viassh that this account may run (status ${code})`, {
      hint: 'install viassh there, in the PATH of sessions without a terminal, or name it: --far viassh -- /opt/viassh/bin/viassh ppp --serve',
      cause: causeWith(error, exit),
    });
  const said = program.stderr.text
    .split('\n')
    .map((line) => line.trim())
    .find((line) => line.startsWith('viassh'));
  if (exit.kind !== 'status' || code === 0) return withExit(error, 'viassh of the far end', exit, said ?? '');
  return new ViasshError(
    'FAR_LINK_MISSING',
    `the other end of the link ended with status ${code}: ${said ?? 'it does not say why'}`,
    {
      hint: program.stderr.text.includes('TUN_FORBIDDEN')
        ? 'root there has to make a device for the account once (viassh account ppp --far viassh); slirp needs no root'
        : '-v shows all that it said',
      cause: causeWith(error, exit),
    },
  );
}
