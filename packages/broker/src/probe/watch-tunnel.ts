import type { Clock, Logger } from '@viassh/core';
import type { ProbeConfig } from '../config/broker-config.ts';
import { type ProbeEnds, type ProbeResult, probeTunnel } from './probe-tunnel.ts';

/** What watching a tunnel needs. */
export interface WatchTunnelOptions {
  readonly clock: Clock;
  readonly log: Logger;
  /** Is there a connection now? A probe alone never makes one. */
  readonly isUp: () => boolean;
  /** Told of each result. */
  readonly onResult: (result: ProbeResult) => void;
}

/**
 * Probes a tunnel every {@link ProbeConfig.every} seconds, counted from the end of the probe before, until it is disposed of.
 * A change between well and not well is a line in the log.
 */
export function watchTunnel(
  probe: ProbeConfig,
  ends: ProbeEnds,
  { clock, log, isUp, onResult }: WatchTunnelOptions,
): Disposable {
  const ending = new AbortController();
  let wasOk = true;
  let timer = next();

  function next(): ReturnType<Clock['setTimeout']> {
    const set = clock.setTimeout(() => void look(), probe.every * 1000);
    set.unref();
    return set;
  }

  async function look(): Promise<void> {
    if (isUp()) {
      const result = await probeTunnel(probe, ends, { clock, signal: ending.signal });
      if (ending.signal.aborted) return;
      if (!result.ok && wasOk) log.warning(`the probe (${probe.kind}) says: ${result.said}`);
      if (result.ok && !wasOk) log.info(`the probe (${probe.kind}) says that it works again: ${result.said}`);
      wasOk = result.ok;
      onResult(result);
    }
    timer = next();
  }

  return {
    [Symbol.dispose]() {
      ending.abort();
      clock.clearTimeout(timer);
    },
  };
}
