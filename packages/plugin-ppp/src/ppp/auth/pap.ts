import { ViasshError } from '@viassh/core';
import { controlPacket } from '../control/control-packet.ts';
import type { PppCredentials } from '../ppp-session.ts';
import { createRetry, isSame, type Proof, type ProofOptions } from './proof.ts';

export const PAP_PROTOCOL = 0xc023;

/** RFC 1334 §2.2. */
const Code = { request: 1, ack: 2, nak: 3 } as const;

/** Says our name and secret until the other side has an opinion about them. */
export function proveByPap(credentials: PppCredentials, options: ProofOptions): Proof {
  let id = 0;
  let open = false;
  const question = Buffer.concat([credentials.name, credentials.secret].map(shortText));
  const retry = createRetry(
    options,
    () => options.send(controlPacket(Code.request, id, question)),
    () =>
      options.failed(new ViasshError('PPP_SILENT', 'the far end does not say whether it takes our name and secret')),
  );
  const stop = (): void => {
    open = false;
    retry.stop();
  };
  return {
    start() {
      open = true;
      id = (id + 1) & 0xff;
      retry.start();
    },
    stop,
    receive(packet) {
      if (!open || packet.id !== id) return;
      if (packet.code === Code.ack) {
        stop();
        options.proven();
      } else if (packet.code === Code.nak) {
        stop();
        options.failed(refusedUs(credentials.name, readText(packet.data, 0)?.text ?? ''));
      }
    },
  };
}

/** Waits for a name and its secret. The answer to the first one stands, however often it is asked again. */
export function demandPap(secretOf: (name: string) => string | undefined, options: ProofOptions): Proof {
  let verdict: boolean | undefined;
  const waiting = createRetry(
    options,
    () => undefined,
    () => options.failed(new ViasshError('PPP_AUTH_FAILED', 'the far end does not say who it is')),
  );
  return {
    start() {
      verdict = undefined;
      waiting.start();
    },
    stop: () => waiting.stop(),
    receive({ code, id, data }) {
      if (code !== Code.request) return;
      const name = readText(data, 0);
      const secret = name && readText(data, name.end);
      if (name === undefined || secret === undefined) return;
      const first = verdict === undefined;
      const expected = secretOf(name.text);
      verdict ??= isSame(secret.text, expected ?? '') && expected !== undefined;
      waiting.stop();
      options.send(controlPacket(verdict ? Code.ack : Code.nak, id, shortText(verdict ? '' : 'Authentication failed')));
      if (!first) return;
      if (verdict) options.proven();
      else options.failed(refusedThem(name.text));
    },
  };
}

/** Ours were not taken; `words` are the other side's. */
export function refusedUs(name: string, words: string): ViasshError {
  const said = words === '' ? '' : `: ${words}`;
  return new ViasshError(
    'PPP_AUTH_FAILED',
    `the far end does not take the name ${name} with the secret we have${said}`,
    {
      hint: 'compare the secrets of both sides: pap-secrets or chap-secrets there, --secret-file here',
    },
  );
}

/** The other side's were wrong. */
export function refusedThem(name: string): ViasshError {
  return new ViasshError('PPP_AUTH_FAILED', `the far end calls itself ${name}, and its secret is not the one we have`);
}

function shortText(text: string): Buffer {
  const bytes = Buffer.from(text).subarray(0, 255);
  return Buffer.concat([Buffer.from([bytes.length]), bytes]);
}

function readText(data: Buffer, start: number): { readonly text: string; readonly end: number } | undefined {
  const length = data[start];
  if (length === undefined || start + 1 + length > data.length) return undefined;
  return { text: data.toString('utf8', start + 1, start + 1 + length), end: start + 1 + length };
}
