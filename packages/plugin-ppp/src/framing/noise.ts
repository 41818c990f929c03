/** The most that is kept of what came before the first good frame, bytes. */
const MOST_NOISE = 4096;

/** What came in the place of frames: kept for a message, bounded. */
export interface Noise {
  /** True from the first good frame on: nothing is kept after it. */
  readonly over: boolean;
  /** As it came, control characters and all; at the most 4 KiB, its beginning. To be shown to nobody unsanitised. */
  readonly text: string;
  take(bytes: Buffer): void;
  /** A flag stands this many bytes before the end of what was taken: a good frame may begin there. */
  markFlag(beforeEnd: number): void;
  /** A good frame ended: what was before it is the noise. */
  end(): void;
}

/** Empty, and not over. */
export function createNoise(): Noise {
  const kept = Buffer.alloc(MOST_NOISE);
  let length = 0;
  let total = 0;
  let flag: number | undefined;
  let over = false;
  return {
    get over() {
      return over;
    },
    get text() {
      return kept.toString('utf8', 0, length);
    },
    take(bytes) {
      const room = Math.min(bytes.length, MOST_NOISE - length);
      bytes.copy(kept, length, 0, room);
      length += room;
      total += bytes.length;
    },
    markFlag(beforeEnd) {
      flag = total - beforeEnd;
    },
    end() {
      over = true;
      length = Math.min(length, flag ?? length);
    },
  };
}
