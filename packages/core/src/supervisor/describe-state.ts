import type { Logger } from '../log/logger.ts';
import type { SupervisorState } from './supervisor.ts';

/**
 * One line for a change of state. What people must see without asking is a loss: a warning. Why it stopped is for the
 * caller to report.
 */
export function describeState(
  state: SupervisorState,
  { ups, log }: { readonly ups: number; readonly log: Logger },
): void {
  switch (state.kind) {
    case 'idle':
      return log.info('idle: closed until somebody needs it');
    case 'connecting':
      return log.info(`connecting, attempt ${state.attempt}`);
    case 'up':
      return log.info(
        `${ups > 1 ? 'up again' : 'up'}${state.roundTripMs === undefined ? '' : `, round trip ${state.roundTripMs.toFixed(1)} ms`}`,
      );
    case 'waiting':
      return log.warning(
        `${state.error.message} (${state.error.code}); attempt ${state.attempt} ${inSeconds(state.until - state.since)}`,
      );
    case 'stopped':
      return log.info(state.error === undefined ? 'stopped' : `stopped: ${state.error.message} (${state.error.code})`);
  }
}

function inSeconds(ms: number): string {
  return ms === 0 ? 'now' : `in ${(ms / 1000).toFixed(1)} s`;
}
