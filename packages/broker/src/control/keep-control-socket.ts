import { lstat } from 'node:fs/promises';
import { type Clock, type ClockTimer, toViasshError } from '@viassh/core';
import { prepareRuntimeFolder } from './runtime-folder.ts';
import { dirname } from 'node:path';
import { type ControlOptions, type ControlServer, serveControl } from './serve-control.ts';

/** How the control socket is kept in its place. */
export interface KeepOptions extends ControlOptions {
  readonly clock: Clock;
  /** Another broker has put its own there. */
  readonly onTaken: () => void;
}

/** Milliseconds between two looks whether the socket is still there. */
const LOOK = 10_000;

/**
 * Serves the control socket, and makes it anew when something has swept it away, as cleaners of temporary folders do.
 *
 * @throws ViasshError LISTEN_FAILED
 */
export async function keepControlSocket(path: string, options: KeepOptions): Promise<AsyncDisposable> {
  const { clock, log, onTaken } = options;
  let server: ControlServer | undefined = await serveControl(path, options);
  let own = await identityOf(path);
  let timer: ClockTimer | undefined;
  let looking: Promise<void> | undefined;
  let ended = false;
  const look = async (): Promise<void> => {
    const found = await identityOf(path);
    if (found !== undefined && found !== own) {
      log.error('another broker has taken the place of this one, which ends');
      return onTaken();
    }
    if (found === undefined) {
      log.warning('the control socket has been taken away, and is made anew');
      await server?.close();
      server = undefined;
      await prepareRuntimeFolder(dirname(path));
      server = await serveControl(path, options);
      own = await identityOf(path);
    }
    later();
  };
  const later = (): void => {
    if (ended) return;
    timer = clock.setTimeout(() => {
      looking = look().catch((error: unknown) => {
        log.warning(`the control socket cannot be made: ${toViasshError(error).message}`);
        later();
      });
    }, LOOK);
    timer.unref();
  };
  later();
  return {
    async [Symbol.asyncDispose]() {
      ended = true;
      clock.clearTimeout(timer);
      await looking;
      await server?.close();
    },
  };
}

async function identityOf(path: string): Promise<string | undefined> {
  const found = await lstat(path).catch(() => undefined);
  return found === undefined ? undefined : `${found.dev}:${found.ino}`;
}
