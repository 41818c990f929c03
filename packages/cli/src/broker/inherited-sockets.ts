import process from 'node:process';
import { formatNearEnd, inheritListeners, type Logger } from '@viassh/core';

/** The first descriptor of sd_listen_fds(3). */
const FIRST = 3;
const MOST = 256;

/** What the service manager listens on for this process. */
export interface InheritedSockets {
  /** From now on whoever listens on one of these places gets it from here. */
  takeOver(log: Logger): Promise<void>;
}

/**
 * Reads what sd_listen_fds(3) reads, and takes the variables out of the environment: whoever we start has no such sockets.
 * Variables that are meant for another process count for nothing.
 */
export function takeInheritedSockets(variables: NodeJS.ProcessEnv): InheritedSockets {
  const { LISTEN_PID: pid, LISTEN_FDS: fds } = variables;
  for (const name of ['LISTEN_PID', 'LISTEN_PIDFDID', 'LISTEN_FDS', 'LISTEN_FDNAMES']) delete variables[name];
  const count = Number(pid) === process.pid ? Math.min(Number(fds) || 0, MOST) : 0;
  return {
    async takeOver(log) {
      if (count <= 0) return;
      const places = await inheritListeners(Array.from({ length: count }, (_, at) => FIRST + at));
      for (const place of places) log.info(`the service manager listens on ${formatNearEnd(place)} for us`);
      if (places.length < count)
        log.warning('not all of what the service manager has handed over is a socket that listens');
    },
  };
}
