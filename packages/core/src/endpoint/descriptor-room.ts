import { readdir, readFile } from 'node:fs/promises';
import { ViasshError } from '../errors/viassh-error.ts';

/** Descriptors that are kept for all else: files, names to be looked up, a program, a new wire. */
const RESERVE = 64;

/** Clients of all listeners of this process: they share its descriptors. */
let clients = 0;

/** How many clients there may be, and how many there are. */
export interface DescriptorRoom {
  /** A client came: false when there is no room for it. */
  readonly enter: () => boolean;
  /** One that was let in is gone. */
  readonly leave: () => void;
  /**
   * What to say of a client of `place` that found no room, or for whom the system had no descriptor after all. `again`: so
   * it was with one before it, and no room to speak of was made since.
   */
  readonly turnAway: (place: string, cause?: Error) => { readonly error: ViasshError; readonly again: boolean };
}

/**
 * What this process may still open, for clients. Where nothing is left, libuv takes clients and closes them at once, and
 * tells nobody (its reserve descriptor); so it must not come to that.
 */
export async function descriptorRoom(): Promise<DescriptorRoom> {
  const [limit, open] = await Promise.all([descriptorLimit(), openDescriptors()]);
  const most = limit - Math.min(RESERVE, Math.floor(limit / 4)) - Math.max(0, open - clients);
  /** How many there were when the first one found no room. */
  let crowd: number | undefined;
  return {
    enter() {
      if (clients >= most) return false;
      if (crowd !== undefined && clients < crowd * 0.9) crowd = undefined;
      clients += 1;
      return true;
    },
    leave: () => void (clients -= 1),
    turnAway(place, cause) {
      const again = crowd !== undefined;
      crowd ??= clients;
      return { error: noDescriptorLeft(place, limit, cause), again };
    },
  };
}

/** Counts a descriptor that is there for a client already; call what it gives once that is closed. */
export function occupyDescriptor(): () => void {
  clients += 1;
  return () => void (clients -= 1);
}

function noDescriptorLeft(place: string, limit: number, cause: Error | undefined): ViasshError {
  return new ViasshError(
    'TOO_MANY_CLIENTS',
    `clients of ${place} are turned away: this process may have ${limit} descriptors open, and has nearly as many`,
    {
      hint: 'raise the limit before it starts (ulimit -n; LimitNOFILE= of systemd); those that are connected go on',
      cause,
    },
  );
}

/** proc(5), limits: the soft one, which Node raises to the hard one when it starts. */
async function descriptorLimit(): Promise<number> {
  const text = await readFile('/proc/self/limits', 'latin1').catch(() => '');
  const digits = /^Max open files\s+(\d+)/m.exec(text)?.[1];
  return digits === undefined ? Number.POSITIVE_INFINITY : Number(digits);
}

async function openDescriptors(): Promise<number> {
  return (await readdir('/proc/self/fd').catch(() => [])).length;
}
