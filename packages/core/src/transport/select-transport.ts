import { ViasshError } from '../errors/viassh-error.ts';
import type { Capability } from '../connection/capability.ts';
import type { Transport } from './transport.ts';

/** A transport before it is loaded. */
export interface TransportEntry {
  readonly name: string;
  load(): Promise<Transport>;
}

/** What was selected and why, in words for `resolve` and -v. */
export interface TransportSelection {
  readonly transport: Transport;
  readonly reason: string;
}

/**
 * Picks the transport: the one asked for, or with `auto` the first entry that runs here and can do what is needed.
 *
 * @param handsOver a transport whose own process can take the session over (`handOver`) will do, too
 * @throws ViasshError OPTION_INVALID for an unknown name, TRANSPORT_UNAVAILABLE, CAPABILITY_MISSING (which names a
 * transport that has it). All before anything is dialled.
 */
export async function selectTransport(
  entries: readonly TransportEntry[],
  requested: string,
  needs: readonly Capability[],
  { handsOver = false }: { readonly handsOver?: boolean | undefined } = {},
): Promise<TransportSelection> {
  const lacks = (transport: Transport): readonly Capability[] =>
    handsOver && transport.handOver !== undefined ? [] : missingOf(transport, needs);
  if (requested !== 'auto') return await selectNamed(entries, requested, lacks);
  const passedOver: string[] = [];
  let lacking = 0;
  for (const entry of entries) {
    const transport = await entry.load();
    const missing = lacks(transport);
    const availability = await transport.available();
    if (missing.length === 0 && availability.ok) {
      return { transport, reason: [...passedOver, availability.detail].join('; ') };
    }
    if (missing.length > 0) lacking += 1;
    passedOver.push(
      availability.ok ? `${entry.name} cannot do ${missing.join(', ')}` : `${entry.name}: ${availability.reason}`,
    );
  }
  if (lacking > 0 && lacking === entries.length) {
    throw new ViasshError('CAPABILITY_MISSING', `no transport can do what is needed: ${passedOver.join('; ')}`);
  }
  throw new ViasshError('TRANSPORT_UNAVAILABLE', `no transport can be used here: ${passedOver.join('; ')}`, {
    hint: 'install an OpenSSH client',
  });
}

async function selectNamed(
  entries: readonly TransportEntry[],
  requested: string,
  lacks: (transport: Transport) => readonly Capability[],
): Promise<TransportSelection> {
  const entry = entries.find(({ name }) => name === requested);
  if (entry === undefined) {
    throw new ViasshError('OPTION_INVALID', `there is no transport named '${requested}'`, {
      hint: `use one of: auto, ${entries.map(({ name }) => name).join(', ')}`,
    });
  }
  const transport = await entry.load();
  const missing = lacks(transport);
  if (missing.length > 0) throw await capabilityMissing(entries, transport, missing);
  const availability = await transport.available();
  if (!availability.ok) {
    throw new ViasshError(
      'TRANSPORT_UNAVAILABLE',
      `the ${transport.name} transport cannot be used here: ${availability.reason}`,
      {
        hint: 'leave --transport (or --control) away to take what this machine has',
      },
    );
  }
  return { transport, reason: `asked for; ${availability.detail}` };
}

async function capabilityMissing(
  entries: readonly TransportEntry[],
  transport: Transport,
  missing: readonly Capability[],
): Promise<ViasshError> {
  const all = await Promise.all(entries.map((entry) => entry.load()));
  const other = all.find((candidate) => missingOf(candidate, missing).length === 0);
  return new ViasshError('CAPABILITY_MISSING', `the ${transport.name} transport cannot do ${missing.join(', ')}`, {
    hint:
      other !== undefined
        ? `use --transport ${other.name}`
        : entries.length === 1
          ? 'leave --control away'
          : 'no transport of this version can',
  });
}

function missingOf(transport: Transport, needs: readonly Capability[]): readonly Capability[] {
  return needs.filter((need) => !transport.capabilities.has(need));
}
