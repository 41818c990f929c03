import { type Duplex, duplexPair } from 'node:stream';

/** What a server got as one message. */
export interface TakenMessage {
  readonly from: string;
  readonly to: readonly string[];
  /** As it was sent but for the added dots. */
  readonly content: Buffer;
}

/** Where an answer is due: to the connection, to a command by its verb, to DATA's own content. */
export type Moment = 'GREETING' | 'EHLO' | 'HELO' | 'MAIL' | 'RCPT' | 'DATA' | 'CONTENT' | 'RSET' | 'QUIT' | 'OTHER';

/** What a test has the server say: lines without the last CRLF; `cut` closes the connection, `silence` says nothing. */
export type Answer = string | { readonly kind: 'cut' | 'silence' } | undefined;

export const cut: Answer = { kind: 'cut' };
export const silence: Answer = { kind: 'silence' };

/** How a scripted server is. */
export interface Script {
  /** What EHLO offers. Default: PIPELINING, 8BITMIME, SIZE, SMTPUTF8. */
  readonly extensions?: readonly string[];
  /** Another answer than the usual one; `line` is the command, for CONTENT the bytes that end it. */
  readonly answer?: (moment: Moment, line: string, server: ScriptedServer) => Answer;
  /** All bytes of one answer, as they are sent: cut up, or with something added. Default: in one piece. */
  readonly send?: (answer: Buffer, server: ScriptedServer) => void;
  /** The connection is cut when so many bytes of a message have come. */
  readonly cutInside?: number;
  /** Each of these ends a message, too, as it does for servers that know no better. */
  readonly laxEnds?: readonly string[];
}

const usual: Readonly<Record<Moment, string>> = {
  GREETING: '220 far.example ESMTP',
  EHLO: '250 far.example',
  HELO: '250 far.example',
  MAIL: '250 2.1.0 ok',
  RCPT: '250 2.1.5 ok',
  DATA: '354 go on',
  CONTENT: '250 2.0.0 queued',
  RSET: '250 2.0.0 ok',
  QUIT: '221 2.0.0 bye',
  OTHER: '500 5.5.1 unknown',
};
const END = '\r\n.\r\n';
const LONGEST_MARK = 16;

/** An SMTP server in this process that does what its script says, and does not forgive. */
export class ScriptedServer {
  /** Our end of it. */
  readonly channel: Duplex;
  readonly commands: string[] = [];
  readonly messages: TakenMessage[] = [];
  /** What was wrong with what the client sent. */
  readonly complaints: string[] = [];
  readonly #script: Script;
  readonly #own: Duplex;
  #line = '';
  /** The message so far, with a line end before it: all but the last bytes in pieces, which may be the beginning of an end. */
  #pieces: string[] = [];
  #tail = '';
  #taken = 0;
  #inside = false;
  #from: string | undefined;
  #to: string[] = [];

  constructor(script: Script = {}) {
    this.#script = script;
    const [ours, theirs] = duplexPair();
    this.channel = theirs;
    this.#own = ours;
    ours.on('error', () => undefined).on('data', (chunk: Buffer) => this.#take(chunk.toString('latin1')));
    ours.once('end', () => ours.end());
    this.#say('GREETING', '');
  }

  /** Bytes as they are, whenever the test wants. */
  write(bytes: string | Buffer): void {
    this.#own.write(bytes);
  }

  end(): void {
    this.#own.end();
  }

  /** Takes nothing from now on. */
  stop(): void {
    this.#own.pause();
  }

  #take(text: string): void {
    let left = text;
    while (left !== '' && !this.#own.writableEnded)
      left = this.#inside ? this.#takeContent(left) : this.#takeLine(left);
  }

  #takeLine(text: string): string {
    const end = text.indexOf('\n');
    this.#line += end < 0 ? text : text.slice(0, end + 1);
    if (end < 0) return '';
    const line = this.#line;
    this.#line = '';
    if (!/^[^\r\n]*\r\n$/.test(line))
      this.complaints.push(`a command that ends otherwise than in CRLF: ${JSON.stringify(line)}`);
    this.#command(Buffer.from(line.trimEnd(), 'latin1').toString());
    return text.slice(end + 1);
  }

  #command(line: string): void {
    this.commands.push(line);
    const verb = (/^[A-Za-z]+/.exec(line)?.[0] ?? '').toUpperCase();
    const moment = (Object.hasOwn(usual, verb) ? verb : 'OTHER') as Moment;
    if (moment === 'MAIL' && this.#from !== undefined) this.complaints.push('MAIL within a transaction');
    const said = this.#say(moment, line);
    if (moment === 'RSET' || moment === 'EHLO' || moment === 'HELO') [this.#from, this.#to] = [undefined, []];
    if (moment === 'MAIL' && said.startsWith('2')) this.#from = /<(.*)>/.exec(line)?.[1] ?? '';
    if (moment === 'RCPT' && said.startsWith('2')) this.#to.push(/<(.*)>/.exec(line)?.[1] ?? '');
    if (moment === 'DATA' && said.startsWith('354')) {
      if (this.#to.length === 0) this.complaints.push('DATA without a recipient');
      [this.#inside, this.#pieces, this.#tail, this.#taken] = [true, [], '\r\n', 0];
    }
    if (moment === 'QUIT') this.end();
  }

  #takeContent(text: string): string {
    const { cutInside = Infinity, laxEnds = [] } = this.#script;
    this.#taken += text.length;
    if (this.#taken >= cutInside) {
      this.end();
      return '';
    }
    const searched = this.#tail + text;
    const found = [END, ...laxEnds]
      .map((mark) => ({ mark, at: searched.indexOf(mark) }))
      .filter(({ at }) => at >= 0)
      .toSorted((one, other) => one.at - other.at)[0];
    if (found === undefined) {
      this.#pieces.push(searched.slice(0, -LONGEST_MARK));
      this.#tail = searched.slice(-LONGEST_MARK);
      return '';
    }
    const behind = searched.slice(found.at + found.mark.length);
    const lines = `${this.#pieces.join('')}${searched.slice(0, found.at)}\r\n`;
    const raw = lines.replaceAll('\r\n..', '\r\n.').slice(2);
    this.#inside = false;
    const message = { from: this.#from ?? '', to: this.#to, content: Buffer.from(raw, 'latin1') };
    [this.#from, this.#to] = [undefined, []];
    if (this.#say('CONTENT', found.mark).startsWith('2')) this.messages.push(message);
    return behind;
  }

  #say(moment: Moment, line: string): string {
    const answer = this.#script.answer?.(moment, line, this) ?? (moment === 'EHLO' ? this.#ehlo() : usual[moment]);
    if (typeof answer !== 'string') {
      if (answer.kind === 'cut') this.end();
      return '';
    }
    const bytes = Buffer.from(`${answer}\r\n`);
    if (this.#script.send === undefined) this.write(bytes);
    else this.#script.send(bytes, this);
    return answer;
  }

  #ehlo(): string {
    const { extensions = ['PIPELINING', '8BITMIME', 'SIZE 10000000', 'SMTPUTF8'] } = this.#script;
    const lines = ['far.example', ...extensions];
    return lines.map((line, index) => `250${index === lines.length - 1 ? ' ' : '-'}${line}`).join('\r\n');
  }
}

/** A message from text. */
export async function* contentOf(...chunks: readonly (string | Buffer)[]): AsyncGenerator<Buffer> {
  for (const chunk of chunks) yield typeof chunk === 'string' ? Buffer.from(chunk, 'latin1') : chunk;
}
