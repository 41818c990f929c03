import type { MailProtocol } from './mail-protocol.ts';

/**
 * - `preauth`: logged in already. `not-preauth`: asks for a login.
 * - `ready`: a greeting of a protocol that does not say which of the two.
 * - `bye`: the server refuses to serve.
 * - `noise`: something that no greeting starts with.
 */
export type GreetingKind = 'preauth' | 'not-preauth' | 'ready' | 'bye' | 'noise';

/** What the first bytes of a far end are. */
export interface Greeting {
  readonly kind: GreetingKind;
  /** Raw, without its line end; of noise what is there of it. */
  readonly line: Buffer;
}

/** What of a protocol its greetings are known by. */
export type GreetingWords = Pick<MailProtocol, 'greetings'>;

/** No greeting is longer: what RFC 7162 §4 asks of a line, in bytes. */
export const LONGEST_GREETING = 8192;

const LF = 0x0a;
const CR = 0x0d;

/**
 * Reads the greeting (its words in any case) at the head of `bytes`. `undefined`: more bytes are needed to tell. The
 * answer does not depend on how the bytes were cut into chunks, and what follows the first line has no part in it. A
 * bare LF ends the line too: servers behind a shell script send that.
 */
export function readGreeting(bytes: Buffer, words: GreetingWords): Greeting | undefined {
  const end = bytes.indexOf(LF);
  const line = end === -1 ? bytes : bytes.subarray(0, end);
  const nul = line.indexOf(0);
  if (nul !== -1 && nul < LONGEST_GREETING) return { kind: 'noise', line: line.subarray(0, nul + 1) };
  if (line.length >= LONGEST_GREETING) return { kind: 'noise', line: line.subarray(0, LONGEST_GREETING) };
  if (end === -1) return undefined;
  const text = line.at(-1) === CR ? line.subarray(0, -1) : line;
  return { kind: kindOf(text, words), line: text };
}

/** Can these bytes, without a line end as yet, still become a greeting? */
export function couldBeGreeting(bytes: Buffer, words: GreetingWords): boolean {
  const head = bytes.toString('latin1').toUpperCase();
  return words.greetings.some(([start]) => start.startsWith(head)) || kindOf(bytes, words) !== 'noise';
}

/** The human part of a greeting: what follows the status word and its response code, without quotes around it. */
export function greetingText({ line }: Greeting): string {
  return line
    .toString('utf8')
    .replace(/^(?:\* )?[+-]?\w+ ?(?:\[[^\]]*\] ?|\([^)]*\) ?)?/, '')
    .replace(/^"(.*)"$/s, '$1');
}

/** The capabilities that an IMAP greeting names (RFC 3501 §7.1 CAPABILITY response code); empty when it names none. */
export function greetingCapabilities({ line }: Greeting): string {
  return /^\* \w+ \[CAPABILITY ([^\]]*)\]/i.exec(line.toString('utf8'))?.[1] ?? '';
}

function kindOf(line: Buffer, { greetings }: GreetingWords): GreetingKind {
  const text = line.toString('latin1').toUpperCase();
  return greetings.find(([start]) => text === start || text.startsWith(whole(start)))?.[1] ?? 'noise';
}

/** A word ends where a blank is. */
function whole(start: string): string {
  return /\w$/.test(start) ? `${start} ` : start;
}
