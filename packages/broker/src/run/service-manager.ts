import {
  type Clock,
  type ClockTimer,
  describeExit,
  isViasshError,
  type Logger,
  type ProgramRunner,
} from '@viassh/core';
import type { BrokerStatus } from '../status/broker-status.ts';

/** What the service manager is told by. */
export interface ServiceManagerOptions {
  readonly programs: ProgramRunner;
  readonly clock: Clock;
  readonly log: Logger;
  /** $NOTIFY_SOCKET, sd_notify(3). */
  readonly socket: string;
  /** $WATCHDOG_USEC as milliseconds: it wants a sign of life so often, sd_watchdog_enabled(3). */
  readonly watchdogMs?: number | undefined;
}

/** Who started us and wants to know how we are: systemd. */
export interface ServiceManager extends AsyncDisposable {
  tell(state: 'ready' | 'reloading' | 'stopping', status: BrokerStatus): void;
}

/**
 * Tells systemd by `systemd-notify`, as its socket is one of datagrams; the unit wants `NotifyAccess=all`. What is told goes in
 * order. That it cannot be told is said once, and ends nothing. Disposing waits for what is under way.
 */
export function serviceManager({ programs, clock, log, socket, watchdogMs }: ServiceManagerOptions): ServiceManager {
  let last: Promise<void> = Promise.resolve();
  let failed = false;
  let timer: ClockTimer | undefined;
  const send = async (words: readonly string[]): Promise<void> => {
    try {
      const { exit, stderr } = await programs.run({
        file: 'systemd-notify',
        args: words,
        env: { NOTIFY_SOCKET: socket },
      });
      if (exit.kind === 'status' && exit.code === 0) return;
      if (!failed)
        log.warning(`systemd is told nothing: systemd-notify ended (${describeExit(exit)}): ${stderr.trim()}`);
    } catch (error) {
      if (!isViasshError(error)) throw error;
      if (!failed) log.warning(`systemd is told nothing: ${error.message} (${error.code})`);
    }
    failed = true;
  };
  const tell = (...words: readonly string[]): void => {
    last = last.then(async () => await send(words));
  };
  const sign = (): void => {
    tell('WATCHDOG=1');
    watch();
  };
  const watch = (): void => {
    if (watchdogMs === undefined) return;
    timer = clock.setTimeout(sign, watchdogMs / 2); // as sd_watchdog_enabled(3) recommends
    timer.unref();
  };
  watch();
  return {
    tell(state, status) {
      if (state === 'ready') tell('READY=1', `STATUS=${summary(status)}`);
      else if (state === 'reloading') tell('RELOADING=1', 'STATUS=reading the configuration');
      else tell('STOPPING=1', 'STATUS=taking the tunnels down');
    },
    async [Symbol.asyncDispose]() {
      clock.clearTimeout(timer);
      await last;
    },
  };
}

/** `3 tunnels up, 1 failed (mail)`. */
function summary({ tunnels }: BrokerStatus): string {
  const named = (state: string): readonly string[] =>
    tunnels.filter((tunnel) => tunnel.state === state).map(({ name }) => name);
  const [up, starting, failed] = [named('up'), named('starting'), named('failed')];
  return [
    `${up.length} ${up.length === 1 ? 'tunnel' : 'tunnels'} up`,
    ...(starting.length === 0 ? [] : [`${starting.length} to come (${starting.join(', ')})`]),
    ...(failed.length === 0 ? [] : [`${failed.length} failed (${failed.join(', ')})`]),
  ].join(', ');
}
