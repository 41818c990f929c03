import { ViasshError } from '@viassh/core';
import type { SmtpReply } from './delivery.ts';

/** Bytes of a line, without its end: sixteen times what RFC 5321 §4.5.3.1.5 allows. */
export const LONGEST_REPLY_LINE = 8192;
/** Lines of one reply. */
export const MOST_REPLY_LINES = 256;

const LF = 0x0a;
const SHOWN = 200; // characters of what is no reply

/**
 * Reads replies (RFC 5321 §4.2, §4.2.1) from bytes, however they are cut. A bare LF ends a line too: what runs behind a
 * far end's shell may send that. What was not ended by a line end is no reply.
 */
export class ReplyParser {
  #line: Buffer = Buffer.alloc(0);
  #lines: string[] = [];
  #code: number | undefined;

  /** Is a reply begun, and not complete? */
  get inside(): boolean {
    return this.#lines.length > 0 || this.#line.length > 0;
  }

  /**
   * Hands each reply that is complete to `onReply`.
   *
   * @throws ViasshError SMTP_PROTOCOL for what cannot be one; nothing may be pushed after that.
   */
  push(chunk: Uint8Array, onReply: (reply: SmtpReply) => void): void {
    let rest: Buffer = Buffer.from(chunk.buffer, chunk.byteOffset, chunk.byteLength);
    for (let end = rest.indexOf(LF); end !== -1; end = rest.indexOf(LF)) {
      const line = Buffer.concat([this.#line, rest.subarray(0, end)]);
      this.#line = Buffer.alloc(0);
      rest = rest.subarray(end + 1);
      this.#takeLine(line, onReply);
    }
    this.#line = Buffer.concat([this.#line, rest]);
    if (this.#line.length > LONGEST_REPLY_LINE) throw notSmtp(this.#line, 'a line without end');
  }

  #takeLine(line: Buffer, onReply: (reply: SmtpReply) => void): void {
    if (line.length > LONGEST_REPLY_LINE) throw notSmtp(line, 'a line too long');
    const [, digits, separator, text = ''] =
      /^([2-5]\d\d)(?:([ -])(.*))?$/s.exec(withoutCr(line.toString('utf8'))) ?? [];
    if (digits === undefined) throw notSmtp(line, 'a line that is no reply');
    const code = Number(digits);
    if (this.#code !== undefined && code !== this.#code)
      throw notSmtp(line, `another code within a reply ${this.#code}`);
    this.#code = code;
    this.#lines.push(text);
    if (this.#lines.length > MOST_REPLY_LINES) throw notSmtp(line, `a reply of more than ${MOST_REPLY_LINES} lines`);
    if (separator === '-') return;
    const lines = this.#lines;
    this.#lines = [];
    this.#code = undefined;
    onReply({ code, enhanced: enhancedOf(code, lines[0] ?? ''), text: lines.join('\n') });
  }
}

/** For people, one line: `550 5.1.1 no such user`. */
export function describeReply({ code, text }: SmtpReply): string {
  return `${code} ${text.replaceAll('\n', ' ')}`.trimEnd();
}

/** RFC 2034 §4: its class is that of the reply, or it is no status code. */
function enhancedOf(code: number, text: string): string | undefined {
  const [, enhanced] = /^([245]\.\d{1,3}\.\d{1,3})(?:\s|$)/.exec(text) ?? [];
  return enhanced?.[0] === String(code)[0] ? enhanced : undefined;
}

function withoutCr(line: string): string {
  return line.endsWith('\r') ? line.slice(0, -1) : line;
}

function notSmtp(line: Buffer, what: string): ViasshError {
  const shown = line.subarray(0, SHOWN).toString('utf8').trim();
  return new ViasshError('SMTP_PROTOCOL', `the far end does not speak SMTP: ${what}: '${shown}'`, {
    hint: 'look at what is reached there: --to, --unix or --command; a shell that prints something when it starts disturbs, too',
    cause: line,
  });
}
