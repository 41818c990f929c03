import { COOKIE_PROTOCOL } from '../authority/find-cookie.ts';
import { padded } from '../setup/client-setup.ts';
import type { XClient } from './x-client.ts';

/** A cookie that the X server made, and its name for it. */
export interface Authorization {
  readonly id: number;
  readonly cookie: Buffer;
}

const QUERY_EXTENSION = 98; // X protocol, appendix B
const GET_INPUT_FOCUS = 43;
/** Security Extension Specification 7.1, §3 and its encoding. */
const QUERY_VERSION = 0;
const GENERATE_AUTHORIZATION = 1;
const REVOKE_AUTHORIZATION = 2;
const UNTRUSTED = 1;
const [TIMEOUT, TRUST_LEVEL, EVENT_MASK] = [1, 2, 8];
const AUTHORIZATION_REVOKED = 1;

/** The SECURITY extension of an X server: it makes cookies whose clients are kept apart from those of others. */
export class SecurityExtension {
  readonly #client: XClient;
  readonly #opcode: number;

  private constructor(client: XClient, opcode: number, firstEvent: number, onRevoked: (id: number) => void) {
    this.#client = client;
    this.#opcode = opcode;
    client.onEvent = (code, bytes) => {
      if (code === firstEvent) onRevoked(bytes.readUInt32LE(4));
    };
  }

  /** Undefined where the X server has no such extension, or does not show it to us. @throws Error as requests do */
  static async find(
    client: XClient,
    onRevoked: (id: number) => void,
    signal: AbortSignal,
  ): Promise<SecurityExtension | undefined> {
    const name = Buffer.from('SECURITY');
    const ask = request(QUERY_EXTENSION, 0, [words([name.length, 0]), name]);
    const reply = await client.request(ask, signal);
    const [present = 0, opcode = 0, firstEvent = 0] = reply.subarray(8);
    if (present === 0) return undefined;
    await client.request(request(opcode, QUERY_VERSION, [words([1, 0])]), signal);
    return new SecurityExtension(client, opcode, firstEvent, onRevoked);
  }

  /** @param timeoutSeconds that it is kept while no client uses it; 0: for ever */
  async generate(timeoutSeconds: number, signal: AbortSignal): Promise<Authorization> {
    const name = Buffer.from(COOKIE_PROTOCOL);
    const ask = request(this.#opcode, GENERATE_AUTHORIZATION, [
      words([name.length, 0]),
      longs([TIMEOUT | TRUST_LEVEL | EVENT_MASK]),
      Buffer.concat([name], padded(name.length)),
      longs([timeoutSeconds, UNTRUSTED, AUTHORIZATION_REVOKED]), // in the order of their bits
    ]);
    const reply = await this.#client.request(ask, signal);
    const length = reply.readUInt16LE(12);
    if (length === 0 || reply.length < 32 + length) throw new Error('the X server gives no cookie');
    return { id: reply.readUInt32LE(8), cookie: Buffer.from(reply.subarray(32, 32 + length)) };
  }

  /** Takes cookies back, and ends their clients; resolves when it is done. One that is gone already is no mistake. */
  async revoke(ids: readonly number[], signal: AbortSignal): Promise<void> {
    for (const id of ids) this.#client.post(request(this.#opcode, REVOKE_AUTHORIZATION, [longs([id])]));
    await this.#client.request(request(GET_INPUT_FOCUS, 0, []), signal); // its reply comes behind all of them
  }
}

/** A request of the X protocol: opcode, a byte, the length in units of four bytes, and `parts`, which are filled up. */
function request(opcode: number, second: number, parts: readonly Buffer[]): Buffer {
  const length = parts.reduce((sum, part) => sum + part.length, 4);
  const bytes = Buffer.concat([Buffer.from([opcode, second, 0, 0]), ...parts], padded(length));
  bytes.writeUInt16LE(bytes.length / 4, 2);
  return bytes;
}

function words(values: readonly number[]): Buffer {
  const bytes = Buffer.alloc(2 * values.length);
  for (const [index, value] of values.entries()) bytes.writeUInt16LE(value, 2 * index);
  return bytes;
}

function longs(values: readonly number[]): Buffer {
  const bytes = Buffer.alloc(4 * values.length);
  for (const [index, value] of values.entries()) bytes.writeUInt32LE(value, 4 * index);
  return bytes;
}
