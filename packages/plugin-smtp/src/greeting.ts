import { awaitHead, type Channel } from '@viassh/core';

/** How waiting for the greeting ended; `seen` is what came instead of one. */
export type GreetingOutcome =
  | { readonly kind: 'greeting' }
  | { readonly kind: 'noise' | 'ended' | 'timeout'; readonly seen: Buffer };

/** RFC 5321 §4.2, `Reply-line`: its head, of the codes that §4.3.2 has for a greeting, one byte each. */
const head = [/[245]/, /\d/, /\d/, /[ \-\r\n]/];

/** Whether these bytes begin as an SMTP reply does; `undefined`: more of them are needed to tell. */
export function beginsAsReply(bytes: Uint8Array): boolean | undefined {
  const start = Buffer.from(bytes.subarray(0, head.length)).toString('latin1');
  if (![...start].every((byte, index) => head[index]?.test(byte))) return false;
  return start.length === head.length ? true : undefined;
}

/** How long to wait. */
export interface GreetingOptions {
  readonly timeoutMs: number;
  readonly signal?: AbortSignal | undefined;
}

/**
 * Waits for the first bytes of a greeting. All that was read is put back: whoever reads the channel next gets every
 * byte from the first.
 *
 * @throws ViasshError CONNECTION_LOST and whatever else destroyed the channel; ABORTED. The channel is then closed.
 */
export async function awaitGreeting(
  channel: Channel,
  { timeoutMs, signal }: GreetingOptions,
): Promise<GreetingOutcome> {
  const late = new AbortController();
  const timer = setTimeout(() => late.abort(), timeoutMs);
  try {
    const outcome = await awaitHead(channel, beginsAsReply, { deadline: late.signal, signal });
    if (outcome.kind !== 'head') return { kind: outcome.kind, seen: outcome.seen };
    return outcome.head ? { kind: 'greeting' } : { kind: 'noise', seen: outcome.seen };
  } finally {
    clearTimeout(timer);
  }
}
