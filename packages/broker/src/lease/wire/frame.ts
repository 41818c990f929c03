/**
 * What goes over a leased socket, both ways: frames of a head (length of the body, kind, id: 4, 1 and 4 bytes, big
 * endian) and a body. An id is a channel, a remote forward, a ping or 0 for the lease itself; it is given by the side
 * that opens it (the client's are odd, the broker's even) and never used again. Bodies are JSON unless said otherwise.
 */
export const FrameKind = {
  /** Both sides, first of all: {@link LeaseHello}. */
  hello: 1,
  /** Client: a channel, a remote forward or a ping; the answer is `opened` or `failed`. */
  open: 2,
  opened: 3,
  failed: 4,
  /** Bytes; at the most {@link MOST_DATA}, and no more than the window. */
  data: 5,
  /** Bytes of stderr, on a window of its own: stdout that nobody reads must not hold it up. */
  stderr: 6,
  /** No more `data`. */
  eof: 7,
  stderrEof: 8,
  /** So many bytes more may be sent: a number of 4 bytes. */
  window: 9,
  /** Client: the same of `stderr`. */
  stderrWindow: 22,
  /**
   * Client: it wants no more of this id, whatever state that is in. Broker: the far end closed it, or listens no more;
   * what is left of stderr comes behind. The body is empty or a failure.
   */
  close: 10,
  /** Broker: how the remote command ended, or the failure instead. */
  exit: 11,
  /** Client: the name of a signal, as text. */
  signal: 12,
  /** Client: the new size of the terminal. */
  resize: 13,
  /** Broker: the far end wants to open a channel. */
  incoming: 14,
  accept: 15,
  /** Body: words for the server's log, as text. */
  refuse: 16,
  /** Client: it takes, or gives back, the channels of agents. Those of X11 go to the one whose session asked for it. */
  takeAgent: 17,
  giveBackAgent: 18,
  /** Packets of a tun device, each behind its length (2 bytes); those of the broker behind its count of drops (4 bytes). */
  packets: 19,
  /** Broker: the connection is lost, with the failure. Channels that still have something to be read follow. */
  lost: 20,
  /** Client: it goes. Broker: all that was the client's is closed. */
  bye: 21,
} as const;

export type FrameKind = (typeof FrameKind)[keyof typeof FrameKind];

/** Raised when a side of before could misunderstand. */
export const leaseVersion = 1;

export const HEAD_LENGTH = 9;
/** Bytes in a frame of `data` and `stderr`. */
export const MOST_DATA: number = 64 * 1024;
/** Bytes in the body of all other frames: a command may be long (Linux: 128 KiB an argument), and JSON makes it longer. */
export const MOST_CONTROL: number = 1024 * 1024;

/** Kinds whose body is handed on as it comes, in pieces: nothing of them is kept. */
export function isStreamed(kind: number): boolean {
  return kind === FrameKind.data || kind === FrameKind.stderr;
}

/** The head of a frame. */
export function frameHead(kind: FrameKind, id: number, length: number): Buffer {
  const head = Buffer.allocUnsafe(HEAD_LENGTH);
  head.writeUInt32BE(length, 0);
  head[4] = kind;
  head.writeUInt32BE(id, 5);
  return head;
}
