import { type Connection, toViasshError, type ViasshError } from '@viassh/core';
import { forwardDynamic } from '../forward/forward-dynamic.ts';
import { forwardLocal } from '../forward/forward-local.ts';
import { forwardRemote, type ForWhom } from '../forward/forward-remote.ts';
import type { Forward, ForwardEvent, ForwardOptions } from '../forward/forward.ts';
import type { ForwardSpec } from '../spec/forward-spec.ts';

/** All forwards of one call. */
export interface StandUpOptions extends ForWhom {
  readonly signal: AbortSignal;
  /** `at`: which of the forwards, from 0 on. Comes from before all stand. */
  readonly onEvent: (event: ForwardEvent, at: number) => void;
}

/**
 * Has all forwards stand, in the order of their specs, or none: as ssh with ExitOnForwardFailure. The first that fails
 * ends the others.
 *
 * @throws ViasshError LISTEN_FAILED, FORWARD_REFUSED, CONNECTION_LOST, CONNECTION_CLOSED, ABORTED
 */
export async function standUp(
  connection: Connection,
  specs: readonly ForwardSpec[],
  { signal, onEvent, rules, users }: StandUpOptions,
): Promise<readonly Forward[]> {
  const giveUp = new AbortController();
  let first: ViasshError | undefined;
  const started = await Promise.all(
    specs.map(async (spec, at) => {
      try {
        const either = AbortSignal.any([signal, giveUp.signal]);
        return await start(
          connection,
          spec,
          { signal: either, onEvent: (event) => onEvent(event, at) },
          { rules, users },
        );
      } catch (error) {
        first ??= toViasshError(error);
        giveUp.abort();
        return undefined;
      }
    }),
  );
  const standing = started.filter((forward) => forward !== undefined);
  if (first === undefined) return standing;
  await Promise.all(standing.map((forward) => forward.close()));
  throw first;
}

async function start(
  connection: Connection,
  spec: ForwardSpec,
  options: ForwardOptions,
  { rules, users }: ForWhom,
): Promise<Forward> {
  if (spec.kind === 'local') return await forwardLocal(connection, spec, options);
  if (spec.kind === 'remote') return await forwardRemote(connection, { ...spec, rules, users }, options);
  return await forwardDynamic(connection, { ...spec, rules, users }, options);
}
