import { connect } from 'node:net';
import { addAbortSignal } from 'node:stream';

/** A key that an agent holds. */
export interface AgentKey {
  readonly blob: Buffer;
  readonly comment: string;
}

const REQUEST_IDENTITIES = 11; // draft-ietf-sshm-ssh-agent §3.5
const IDENTITIES_ANSWER = 12;
const SIGN_REQUEST = 13; // §3.6
const SIGN_RESPONSE = 14;
const signFlags: Readonly<Record<string, number>> = { sha256: 2, sha512: 4 };
const MOST_ANSWER = 256 * 1024; // OpenSSH's own limit of an agent message

/** The keys that an agent offers. @throws Error when it does not answer as an agent does. */
export async function listAgentKeys(socket: string, signal: AbortSignal): Promise<AgentKey[]> {
  const answer = new Fields(await ask(socket, Buffer.from([REQUEST_IDENTITIES]), IDENTITIES_ANSWER, signal));
  return Array.from({ length: answer.number() }, () => ({
    blob: answer.bytes(),
    comment: answer.bytes().toString('utf8'),
  }));
}

/** Has the agent sign; `hash` chooses among RSA signatures. The answer is the signature without its type. @throws Error */
export async function signByAgent(
  socket: string,
  blob: Buffer,
  data: Buffer,
  hash: string | undefined,
  signal: AbortSignal,
): Promise<Buffer> {
  const flags = Buffer.alloc(4);
  flags.writeUInt32BE(signFlags[hash ?? ''] ?? 0);
  const request = Buffer.concat([Buffer.from([SIGN_REQUEST]), field(blob), field(data), flags]);
  const signature = new Fields(new Fields(await ask(socket, request, SIGN_RESPONSE, signal)).bytes());
  signature.bytes(); // the type, as asked for
  return signature.bytes();
}

function ask(socket: string, message: Buffer, expected: number, signal: AbortSignal): Promise<Buffer> {
  return new Promise((resolve, reject) => {
    const stream = connect({ path: socket });
    addAbortSignal(signal, stream);
    let heard = Buffer.alloc(0);
    const finish = (outcome: () => void): void => {
      stream.destroy();
      outcome();
    };
    stream.on('error', (error) => finish(() => reject(error)));
    stream.on('close', () => reject(new Error('the agent closed the connection')));
    stream.on('data', (chunk: Buffer) => {
      heard = Buffer.concat([heard, chunk]);
      const length = heard.length < 4 ? undefined : heard.readUInt32BE(0);
      if (length !== undefined && (length < 1 || length > MOST_ANSWER))
        return finish(() => reject(new Error('the agent broke its protocol')));
      if (length === undefined || heard.length < 4 + length) return;
      const refusal = new Error('the agent refused');
      finish(() => (heard[4] === expected ? resolve(heard.subarray(5, 4 + length)) : reject(refusal)));
    });
    stream.write(field(message));
  });
}

function field(bytes: Buffer): Buffer {
  const length = Buffer.alloc(4);
  length.writeUInt32BE(bytes.length);
  return Buffer.concat([length, bytes]);
}

/** Reads numbers and strings, RFC 4251 §5. Reading past the end is a RangeError. */
export class Fields {
  readonly #buffer: Buffer;
  #at = 0;

  constructor(buffer: Buffer) {
    this.#buffer = buffer;
  }

  number(): number {
    const value = this.#buffer.readUInt32BE(this.#at);
    this.#at += 4;
    return value;
  }

  bytes(): Buffer {
    const length = this.number();
    if (length > this.#buffer.length - this.#at) throw new RangeError('cut short');
    this.#at += length;
    return this.#buffer.subarray(this.#at - length, this.#at);
  }
}
