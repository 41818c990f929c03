import { awaitHead, describeExit, isViasshError, sanitize, ViasshError } from '@viassh/core';
import { pppCarrier } from '../carrier/ppp-carrier.ts';
import type { FarLink, FarLinkRequest } from './far-link.ts';
import { type FarProgram, startFarProgram, withExit } from './far-program.ts';
import { clientSession } from './ppp-session-for.ts';
import { slirpAddress, slirpCommand } from './slirp-command.ts';

/** Milliseconds for the terminal there to be raw: until then it would echo what we send. */
const BANNER_MS = 5000;

/** What a session for slirp asks for: it reads and writes one descriptor. */
export const slirpPty = { term: 'dumb', columns: 80, rows: 24 } as const;

/** slirp on a terminal of the far end, as any user: its network is that of the user's programs there. */
export async function openSlirpLink(request: FarLinkRequest): Promise<FarLink> {
  const program = await startSlirp(request);
  const carrier = pppCarrier(
    program.channel,
    clientSession(request, undefined, { remoteAddress: slirpAddress, ipv6: false }),
  );
  try {
    return {
      kind: 'slirp',
      carrier,
      terms: await carrier.agreed,
      what: 'slirp of the far end',
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

async function whyEnded(program: FarProgram, error: ViasshError): Promise<ViasshError> {
  const exit = await program.ended();
  if (exit === undefined || isViasshError(error, 'ABORTED')) return error;
  return withExit(error, 'slirp of the far end', exit, program.stderr.lastLine);
}

/** Resolves when it waits for PPP. @throws ViasshError FAR_LINK_MISSING */
export async function startSlirp({ connection, plan, clock, log, signal }: FarLinkRequest): Promise<FarProgram> {
  const command = plan.command ?? slirpCommand;
  const program = await startFarProgram({ connection, command, who: 'slirp there', pty: slirpPty, clock, log, signal });
  const { kind, seen } = await awaitHead(program.channel, speaks, { deadline: AbortSignal.timeout(BANNER_MS), signal });
  if (kind === 'timeout' && seen.length > 0) program.channel.unshift(seen);
  if (kind !== 'ended') return program;
  const exit = await program.ended();
  const code = exit === undefined ? '' : ` (${sanitize(describeExit(exit))})`;
  const said = seen.toString('utf8').trim();
  throw new ViasshError(
    'FAR_LINK_MISSING',
    exit?.kind === 'status' && exit.code === 127
      ? `the far end has no slirp${code}`
      : `slirp of the far end ended at once${code}${said === '' ? '' : `: ${said}`}`,
    { hint: 'install the package slirp there; it needs no root' },
  );
}

/** Its banner, or the beginning of its first frame: a shell may have said anything before, while the terminal still echoed. */
function speaks(bytes: Buffer): true | undefined {
  return /slirp v\d|~\xff\}#/i.test(bytes.toString('latin1')) ? true : undefined;
}
