import type { SupervisorState } from '@viassh/core';

/** How the connection stands, for JSON. Times are milliseconds since 1970. */
export interface ConnectionReport {
  readonly state: SupervisorState['kind'];
  readonly since: number;
  readonly attempt?: number | undefined;
  /** When the next attempt begins. */
  readonly nextRetry?: number | undefined;
  readonly roundTripMs?: number | undefined;
  readonly error?: { readonly code: string; readonly message: string; readonly hint?: string | undefined } | undefined;
}

export function connectionReport(state: SupervisorState): ConnectionReport {
  const error = 'error' in state && state.error !== undefined ? state.error : undefined;
  return {
    state: state.kind,
    since: state.since,
    attempt: 'attempt' in state ? state.attempt : undefined,
    nextRetry: state.kind === 'waiting' ? state.until : undefined,
    roundTripMs: state.kind === 'up' ? state.roundTripMs : undefined,
    error: error === undefined ? undefined : { code: error.code, message: error.message, hint: error.hint },
  };
}

/** The same for people: `connection up for 62 s`. */
export function connectionLine(state: SupervisorState, now: number): string {
  const since = `for ${seconds(now - state.since)}`;
  if (state.kind === 'up') {
    const trip = state.roundTripMs === undefined ? '' : `, round trip ${state.roundTripMs.toFixed(1)} ms`;
    return `connection up ${since}${trip}`;
  }
  if (state.kind === 'waiting')
    return `connection lost ${since}: ${state.error.message} (${state.error.code}); attempt ${state.attempt} in ${seconds(state.until - now)}`;
  if (state.kind === 'connecting') return `connecting ${since}, attempt ${state.attempt}`;
  return `connection ${state.kind} ${since}`;
}

function seconds(ms: number): string {
  return `${Math.max(0, Math.round(ms / 1000))} s`;
}
