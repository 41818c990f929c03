import { setTimeout as wait } from 'node:timers/promises';
import { isViasshError, type Supervisor } from '@viassh/core';
import type { SpokenCall } from '../builtin.ts';
import { type CarryContext, carryOver } from '../programs/carry-call.ts';
import type { AutosshSettings } from './autossh-settings.ts';

const SSH_FAILED = 255;
/** What autossh starts ssh again for; it takes other codes, and 0, for an end that was meant. */
const restarts: ReadonlySet<number> = new Set([1, 2, SSH_FAILED]);
/** A run that was shorter counts as one that failed at once. */
const QUICK_MS = 10_000;

/** A remote command or shell that is started again on the next connection. */
export interface SessionToKeep extends Pick<AutosshSettings, 'gateMs' | 'longestWaitMs' | 'maxStarts'> {
  readonly spoken: SpokenCall;
  readonly tty: boolean;
  readonly carry: CarryContext;
}

/**
 * Runs the session of a call until it ends by itself; the status is the result. When its connection is lost, or it fails in a
 * way for which autossh would start ssh again, it runs anew.
 *
 * @throws ViasshError of the supervisor; ABORTED
 */
export async function keepSession(
  supervisor: Supervisor,
  { spoken, tty, carry, gateMs, longestWaitMs, maxStarts = Infinity }: SessionToKeep,
): Promise<number> {
  const { signal, log } = carry.request;
  let quick = 0;
  for (let runs = 1; ; runs += 1) {
    const connection = await supervisor.current({ signal });
    const began = performance.now();
    let code: number;
    try {
      code = await carryOver(connection, spoken, tty, carry);
    } catch (error) {
      if (!isViasshError(error) || error.entry.kind !== 'transient' || signal?.aborted === true) throw error;
      if (error.code === 'CONNECTION_LOST' || error.code === 'CONNECTION_CLOSED') {
        await connection.closed;
        continue;
      }
      log.warning(`${error.message} (${error.code})`);
      code = SSH_FAILED;
    }
    const ranMs = performance.now() - began;
    if (!restarts.has(code) || (runs === 1 && ranMs < gateMs)) return code;
    if (runs >= maxStarts) return 0;
    quick = ranMs < QUICK_MS ? quick + 1 : 0;
    const delayMs = quick === 0 ? 0 : Math.min(longestWaitMs, 500 * 2 ** Math.min(quick, 20));
    log.warning(`the remote command ended with status ${code}; it is started again in ${Math.round(delayMs / 1000)} s`);
    await wait(delayMs, undefined, { signal });
  }
}
