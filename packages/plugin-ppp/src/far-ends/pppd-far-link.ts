import { type Clock, isViasshError, sanitize, type StderrTail, type ViasshError } from '@viassh/core';
import { pppCarrier } from '../carrier/ppp-carrier.ts';
import type { FarLink, FarLinkRequest } from './far-link.ts';
import { type FarProgram, startFarProgram } from './far-program.ts';
import { clientSession } from './ppp-session-for.ts';
import { pppdCommand } from './pppd-command.ts';
import { pppdFailure } from './pppd-exit.ts';

/** Milliseconds that pppd takes to bring its device up after the two ends have agreed; what comes before is lost there. */
const SETTLE_MS = 150;

/** pppd on the pipes of a session. */
export async function openPppdLink(request: FarLinkRequest): Promise<FarLink> {
  const { connection, plan, usual, clock, log, signal } = request;
  const credentials = await request.credentials();
  const addresses = plan.addresses.length > 0 ? plan.addresses : usual;
  const command = plan.command ?? pppdCommand({ addresses, mtu: plan.mtu, name: plan.name });
  const program = await startFarProgram({ connection, command, who: 'pppd there', clock, log, signal });
  const carrier = pppCarrier(program.channel, clientSession(request, credentials, { ipv6: true }));
  try {
    const terms = await carrier.agreed;
    await pause(clock, SETTLE_MS);
    return {
      kind: 'pppd',
      carrier,
      terms,
      what: 'pppd of the far end',
      ended: () => program.ended(),
      explain: async (error) => await whyEnded(program, error),
    };
  } catch (error) {
    await carrier.close();
    const why = await whyEnded(program, error as ViasshError);
    program.channel.destroy();
    throw why;
  }
}

/** pppd prints on its terminal, which here is the line itself, or on stderr. */
async function whyEnded(program: FarProgram, error: ViasshError): Promise<ViasshError> {
  const exit = await program.ended();
  if (exit === undefined || isViasshError(error, 'ABORTED') || isViasshError(error, 'CONNECTION_LOST')) return error;
  return pppdFailure(exit, sanitize(complaintIn(program.stderr)), error);
}

/** What it does not like it says behind its own name; after a wrong option its whole usage follows. */
function complaintIn({ text, lastLine }: StderrTail): string {
  return [...text.matchAll(/^\S*pppd: (.+)$/gm)].at(-1)?.[1]?.trim() ?? lastLine;
}

async function pause(clock: Clock, ms: number): Promise<void> {
  await new Promise<void>((resolve) => void clock.setTimeout(resolve, ms));
}
