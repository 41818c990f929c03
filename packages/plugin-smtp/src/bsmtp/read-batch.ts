import { ViasshError } from '@viassh/core';
import type { ContentSpool } from '../dialogue/content-spool.ts';
import type { EnvelopeRecipient } from '../dialogue/delivery.ts';
import type { Batch, BatchItem } from './batch.ts';
import { parseBatchCommand } from './batch-command.ts';
import { BatchContent, type LineEnd } from './batch-content.ts';

/** What happens to a CR or LF within a message that is no line end of the batch: it becomes one, or all is refused. */
export type BareNewlines = 'repair' | 'refuse';

const LONGEST_COMMAND = 8192; // bytes; RFC 5321 §4.5.3.1.4 and its extensions ask for far fewer
const LF = 0x0a;
const CR = 0x0d;

/**
 * Reads a batch of SMTP commands and messages to its end; the messages' contents go into the spool.
 *
 * @throws ViasshError BSMTP_INVALID when it is no batch, or ends in the middle: then nothing of it may be sent;
 * STREAM_FAILED
 */
export async function readBatch(
  input: AsyncIterable<Uint8Array>,
  spool: ContentSpool,
  { bareNewlines }: { readonly bareNewlines: BareNewlines },
): Promise<Batch> {
  const reader = new BatchReader(spool, bareNewlines);
  for await (const chunk of input) await reader.push(Buffer.from(chunk.buffer, chunk.byteOffset, chunk.byteLength));
  return reader.end();
}

/** What is known of a message before its DATA. */
interface Begun {
  readonly from: string;
  readonly parameters: readonly string[];
  readonly recipients: EnvelopeRecipient[];
}

class BatchReader {
  readonly #spool: ContentSpool;
  readonly #bareNewlines: BareNewlines;
  readonly #items: BatchItem[] = [];
  #name: string | undefined;
  #lineEnd: LineEnd | undefined;
  #lines = 0;
  #line: Buffer = Buffer.alloc(0);
  #begun: Begun | undefined;
  #content: { readonly reader: BatchContent; readonly start: number } | undefined;
  #over = false;

  constructor(spool: ContentSpool, bareNewlines: BareNewlines) {
    this.#spool = spool;
    this.#bareNewlines = bareNewlines;
  }

  async push(chunk: Buffer): Promise<void> {
    for (let at = 0; at < chunk.length; ) {
      at =
        this.#content === undefined ? this.#pushCommand(chunk, at) : await this.#pushContent(this.#content, chunk, at);
    }
  }

  end(): Batch {
    if (this.#content !== undefined) throw invalid(`it ends within message ${this.#items.length + 1}, without the dot`);
    if (this.#line.length > 0) throw invalid('it ends within a line', this.#line);
    if (this.#begun !== undefined) throw invalid(`it ends before DATA of message ${this.#items.length + 1}`);
    if (this.#items.length === 0) throw invalid('there is no message in it');
    return { name: this.#name, items: this.#items };
  }

  #pushCommand(chunk: Buffer, at: number): number {
    const lf = chunk.indexOf(LF, at);
    const end = lf === -1 ? chunk.length : lf + 1;
    this.#line = Buffer.concat([this.#line, chunk.subarray(at, end)]);
    if (this.#line.length > LONGEST_COMMAND) throw invalid('a line is too long', this.#line);
    if (lf === -1) return end;
    const raw = this.#line;
    this.#line = Buffer.alloc(0);
    this.#lines += 1;
    this.#lineEnd ??= raw.at(-2) === CR ? 'crlf' : 'lf';
    const ending = this.#lineEnd === 'crlf' ? 2 : 1;
    if (this.#lineEnd === 'crlf' && raw.at(-2) !== CR)
      throw invalid('a line ends in a bare LF, the first in CRLF', raw);
    this.#takeCommand(raw.subarray(0, -ending));
    return end;
  }

  #takeCommand(line: Buffer): void {
    if (this.#over) throw invalid('something comes after QUIT', line);
    const command = parseBatchCommand(line);
    if (command === undefined) throw invalid(`line ${this.#lines} is no command of a batch`, line);
    const wrong = (): ViasshError => invalid(`line ${this.#lines} comes at the wrong place`, line);
    if (command.kind === 'noop') return;
    if (command.kind === 'rset') this.#begun = undefined;
    else if (command.kind === 'mail') {
      if (this.#begun !== undefined) throw wrong();
      this.#begun = { from: command.address, parameters: command.parameters, recipients: [] };
    } else if (command.kind === 'rcpt') {
      if (this.#begun === undefined || command.address === '') throw wrong();
      this.#begun.recipients.push({ address: command.address, parameters: command.parameters });
    } else if (command.kind === 'data') {
      if (this.#begun === undefined || this.#begun.recipients.length === 0) throw wrong();
      this.#content = { reader: new BatchContent(this.#lineEnd ?? 'crlf'), start: this.#spool.size };
    } else {
      if (this.#begun !== undefined) throw wrong();
      if (command.kind === 'hello') this.#name ??= command.name;
      else this.#over = true;
    }
  }

  async #pushContent(
    { reader, start }: { readonly reader: BatchContent; readonly start: number },
    chunk: Buffer,
    at: number,
  ): Promise<number> {
    const parts: Buffer[] = [];
    const next = reader.push(chunk, at, (part) => parts.push(part));
    if (parts.length > 0) await this.#spool.append(Buffer.concat(parts)); // a copy: the chunk is its giver's
    if (next === undefined) return chunk.length;
    const { measure } = reader;
    const bare = this.#lineEnd === 'lf' ? measure.hasCr : measure.bareCr || measure.bareLf;
    if (bare && this.#bareNewlines === 'refuse')
      throw invalid(`message ${this.#items.length + 1} has a bare CR or LF in it`);
    this.#items.push({
      ...(this.#begun as Begun),
      start,
      end: this.#spool.size,
      octets: measure.octets,
      eightBit: measure.eightBit,
    });
    this.#begun = undefined;
    this.#content = undefined;
    return next;
  }
}

function invalid(what: string, line?: Buffer): ViasshError {
  const shown = line === undefined ? '' : `: '${line.subarray(0, 200).toString('utf8').trimEnd()}'`;
  return new ViasshError('BSMTP_INVALID', `stdin is no batch of SMTP, nothing was sent: ${what}${shown}`, {
    hint: 'give MAIL FROM, RCPT TO, DATA, the message, and a line with a dot, as exim does with use_bsmtp',
  });
}
