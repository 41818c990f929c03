import { createHash } from 'node:crypto';
import { ViasshError } from '@viassh/core';
import { type ControlPacket, controlPacket } from '../control/control-packet.ts';
import type { PppCredentials, PppOptions } from '../ppp-session.ts';
import { refusedThem, refusedUs } from './pap.ts';
import { createRetry, isSame, type Proof, type ProofOptions } from './proof.ts';

export const CHAP_PROTOCOL = 0xc223;

/** RFC 1994 §4. */
const Code = { challenge: 1, response: 2, success: 3, failure: 4 } as const;
/** Bytes of a challenge of ours: as many as MD5 has. */
const CHALLENGE_LENGTH = 16;

/** Answers each challenge, also one that comes long after the first. `isOurs` tells a challenge that we have sent ourselves. */
export function proveByChap(
  credentials: PppCredentials,
  isOurs: (challenge: Uint8Array) => boolean,
  options: ProofOptions,
): Proof {
  let open = false;
  let response: { readonly id: number; readonly data: Buffer } | undefined;
  // Also the answer is repeated: the verdict may have been lost, and who has given it is past asking (RFC 1994 §4.2).
  const retry = createRetry(
    options,
    () => {
      if (response !== undefined) options.send(controlPacket(Code.response, response.id, response.data));
    },
    () =>
      options.failed(
        new ViasshError(
          'PPP_SILENT',
          `the far end ${response ? 'has no word for our proof' : 'wants a proof, and sends no challenge for it'}`,
        ),
      ),
  );
  const answer = ({ id, data }: ControlPacket): void => {
    const challenge = readValue(data);
    if (challenge === undefined || challenge.length === 0) return;
    if (isOurs(challenge)) {
      options.failed(new ViasshError('PPP_AUTH_FAILED', 'the far end has us answer the challenge that we sent'));
      return;
    }
    const value = responseTo(id, credentials.secret, challenge);
    response = { id, data: Buffer.concat([Buffer.from([value.length]), value, Buffer.from(credentials.name)]) };
    retry.start();
  };
  return {
    start() {
      open = true;
      response = undefined;
      retry.start();
    },
    stop() {
      open = false;
      retry.stop();
    },
    receive(packet) {
      if (!open) return;
      if (packet.code === Code.challenge) return answer(packet);
      if (packet.id !== response?.id) return;
      if (packet.code === Code.success) {
        retry.stop();
        options.proven();
      } else if (packet.code === Code.failure) {
        retry.stop();
        options.failed(refusedUs(credentials.name, packet.data.toString('utf8')));
      }
    },
  };
}

/** What {@link demandChap} gives beside the proof itself. */
export interface ChapDemand extends Proof {
  /** Is it the challenge that we have sent? Who sends it back wants us to answer it. */
  isOurs(challenge: Uint8Array): boolean;
}

/** Sends a challenge until it is answered. The verdict on the first answer stands. */
export function demandChap(
  demand: NonNullable<PppOptions['demand']>,
  randomBytes: (length: number) => Buffer,
  options: ProofOptions,
): ChapDemand {
  let id = 0;
  let challenge: Buffer = Buffer.alloc(0);
  let verdict: boolean | undefined;
  const retry = createRetry(
    options,
    () => {
      const value = [Buffer.from([challenge.length]), challenge, Buffer.from(demand.name)];
      options.send(controlPacket(Code.challenge, id, Buffer.concat(value)));
    },
    () => options.failed(new ViasshError('PPP_AUTH_FAILED', 'the far end does not answer our challenge')),
  );
  return {
    isOurs: (other) => challenge.length > 0 && challenge.equals(other),
    start() {
      id = (id + 1) & 0xff;
      challenge = randomBytes(CHALLENGE_LENGTH);
      verdict = undefined;
      retry.start();
    },
    stop: () => retry.stop(),
    receive(packet) {
      const response = readValue(packet.data);
      if (packet.code !== Code.response || packet.id !== id || response === undefined) return;
      const name = packet.data.toString('utf8', 1 + response.length);
      const first = verdict === undefined;
      const secret = demand.secretOf(name);
      verdict ??= isSame(response, responseTo(id, secret ?? '', challenge)) && secret !== undefined;
      retry.stop();
      const words = verdict ? '' : 'Authentication failed';
      options.send(controlPacket(verdict ? Code.success : Code.failure, id, Buffer.from(words)));
      if (!first) return;
      if (verdict) options.proven();
      else options.failed(refusedThem(name));
    },
  };
}

/** RFC 1994 §4.1. */
function responseTo(id: number, secret: string, challenge: Uint8Array): Buffer {
  return createHash('md5')
    .update(Buffer.from([id]))
    .update(secret)
    .update(challenge)
    .digest();
}

function readValue(data: Buffer): Buffer | undefined {
  const length = data[0];
  return length === undefined || 1 + length > data.length ? undefined : data.subarray(1, 1 + length);
}
