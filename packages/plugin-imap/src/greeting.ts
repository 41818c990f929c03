/**
 * What the first bytes of a far end are. `line` is raw, without its line end.
 *
 * - `preauth`, `not-preauth`, `bye`: the three greetings of RFC 3501 §7.1 (RFC 9051 §7.1).
 * - `noise`: something that no greeting starts with; `line` is what is there of it.
 */
export interface Greeting {
  readonly kind: 'preauth' | 'not-preauth' | 'bye' | 'noise';
  readonly line: Buffer;
}

/** No greeting is longer: what RFC 7162 §4 asks of a line, in bytes. */
export const LONGEST_GREETING = 8192;

const LF = 0x0a;
const CR = 0x0d;

/**
 * Reads the greeting (RFC 3501 §9 `greeting`, names in any case) at the head of `bytes`. `undefined`: more bytes are
 * needed to tell. The answer does not depend on how the bytes were cut into chunks, and what follows the first line has
 * no part in it. A bare LF ends the line too: servers behind a shell script send that.
 */
export function readGreeting(bytes: Buffer): Greeting | undefined {
  const end = bytes.indexOf(LF);
  const line = end === -1 ? bytes : bytes.subarray(0, end);
  const nul = line.indexOf(0);
  if (nul !== -1 && nul < LONGEST_GREETING) return { kind: 'noise', line: line.subarray(0, nul + 1) };
  if (line.length >= LONGEST_GREETING) return { kind: 'noise', line: line.subarray(0, LONGEST_GREETING) };
  if (end === -1) return undefined;
  const text = line.at(-1) === CR ? line.subarray(0, -1) : line;
  return { kind: kindOf(text), line: text };
}

/** Can these bytes, without a line end as yet, still become a greeting? */
export function couldBeGreeting(bytes: Buffer): boolean {
  const head = bytes.toString('latin1').toUpperCase();
  return ['* PREAUTH', '* OK', '* BYE'].some((start) => start.startsWith(head)) || kindOf(bytes) !== 'noise';
}

/** The human part of a greeting: what follows the status word and its response code (RFC 3501 §9 `resp-text`). */
export function greetingText({ line }: Greeting): string {
  return line.toString('utf8').replace(/^\* \w+ ?(\[[^\]]*\] ?)?/, '');
}

function kindOf(line: Buffer): Greeting['kind'] {
  const word = /^\* (PREAUTH|OK|BYE)(?: |$)/i.exec(line.toString('latin1'))?.[1]?.toUpperCase();
  if (word === undefined) return 'noise';
  return word === 'PREAUTH' ? 'preauth' : word === 'OK' ? 'not-preauth' : 'bye';
}
