import { readdir, readFile } from 'node:fs/promises';

/** Descriptors that are kept for all else: files, names to be looked up, a program, a new wire. */
const RESERVE = 64;

/** Clients of all listeners of this process: they share its descriptors. */
let clients = 0;

/** How many clients there may be, and how many there are. */
export interface DescriptorRoom {
  /** `ulimit -n`; Infinity where the system does not say. */
  readonly limit: number;
  /** A client came: false when there is no room for it. */
  readonly enter: () => boolean;
  /** One that was let in is gone. */
  readonly leave: () => void;
  /** Enough have gone since. */
  readonly isEasy: boolean;
}

/**
 * What this process may still open, for clients. Where nothing is left, libuv takes clients and closes them at once, and
 * tells nobody (its reserve descriptor); so it must not come to that.
 */
export async function descriptorRoom(): Promise<DescriptorRoom> {
  const [limit, open] = await Promise.all([descriptorLimit(), openDescriptors()]);
  const most = limit - Math.min(RESERVE, Math.floor(limit / 4)) - Math.max(0, open - clients);
  return {
    limit,
    enter() {
      if (clients >= most) return false;
      clients += 1;
      return true;
    },
    leave: () => void (clients -= 1),
    get isEasy() {
      return clients < most * 0.9;
    },
  };
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
