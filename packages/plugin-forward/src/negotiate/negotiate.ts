import type { Duplex } from 'node:stream';
import { abortedError, ViasshError } from '@viassh/core';
import { deniedBy, type DestinationRules } from './destination-rules.ts';
import { beginExchange, type Exchange } from './exchange.ts';
import { httpConnect, httpTooLate } from './http-connect.ts';
import type { SocksUsers } from './proxy-users.ts';
import { socks } from './socks.ts';
import type { Asked, BoundAddress, TcpTarget } from './talk.ts';
import { brokeRules } from './turned-away.ts';

/** What a client wants, and how to tell it what became of that: one of the two, once. */
export interface Negotiation {
  readonly target: TcpTarget;
  /** Says that the target is reached; `bound`: where the far end dialled from, where that is known. */
  accepted(bound?: BoundAddress): void;
  /** Says why not, in the words of the client's protocol, and ends the writable half. */
  refused(error: ViasshError): void;
}

/** How to negotiate. */
export interface NegotiateOptions {
  readonly rules?: DestinationRules | undefined;
  readonly users?: SocksUsers | undefined;
  readonly signal?: AbortSignal | undefined;
  /** Milliseconds that a client has to say where it wants to go, all of it together. Default: 30,000. */
  readonly deadlineMs?: number | undefined;
}

const DEADLINE = 30_000;

/**
 * Hears where a client wants to go. Nothing is resolved and nothing dialled here. What the client sends ahead for its
 * target stays in it, unread. The stream is neither flowing nor listened to when the promise settles.
 *
 * A client that is turned away has been told so, in its protocol, and its writable half has been ended: closing it, and
 * reading what still comes so that a socket of TCP does not take the answer back, are the caller's.
 *
 * @throws ViasshError CLIENT_PROTOCOL, CLIENT_LOGIN_FAILED, TARGET_DENIED; ABORTED, at once and without a word to it
 */
export async function negotiate(
  client: Duplex,
  protocol: 'socks' | 'http',
  { rules = {}, users, signal, deadlineMs = DEADLINE }: NegotiateOptions = {},
): Promise<Negotiation> {
  const exchange = beginExchange((talk) => (protocol === 'http' ? httpConnect(talk, users) : socks(talk, users)));
  const farewell = protocol === 'http' ? httpTooLate : (): Buffer => Buffer.alloc(0);
  const asked = await listenTo(client, exchange, { signal, deadlineMs, farewell });
  const denied = deniedBy(rules, asked.target);
  if (denied !== undefined) {
    end(client, asked.refused(denied));
    throw denied;
  }
  return {
    target: asked.target,
    accepted: (bound) => void (client.writable && client.write(asked.accepted(bound))),
    refused: (error) => end(client, asked.refused(error)),
  };
}

interface Listening {
  readonly signal: AbortSignal | undefined;
  readonly deadlineMs: number;
  readonly farewell: (error: ViasshError) => Buffer;
}

function listenTo(client: Duplex, exchange: Exchange, { signal, deadlineMs, farewell }: Listening): Promise<Asked> {
  return new Promise((resolve, reject) => {
    const settle = (): void => {
      clearTimeout(timer);
      signal?.removeEventListener('abort', onAbort);
      client.off('readable', onReadable).off('end', onGone).off('close', onGone).off('error', onGone);
    };
    const onReadable = (): void => {
      for (let chunk = read(client); chunk !== null; chunk = read(client)) {
        const step = exchange.heard(chunk);
        if (step.kind === 'more') {
          if (step.answer.length > 0 && client.writable) client.write(step.answer);
          continue;
        }
        settle();
        if (step.kind === 'asked') {
          if (step.answer.length > 0 && client.writable) client.write(step.answer);
          if (step.rest.length > 0) client.unshift(step.rest);
          resolve(step.asked);
        } else {
          end(client, step.answer);
          reject(step.error);
        }
        return;
      }
    };
    const onGone = (): void => {
      settle();
      end(client);
      reject(
        brokeRules('it went away before it had said where to', 'a check whether the port is open looks like this'),
      );
    };
    const onAbort = (): void => {
      settle();
      reject(abortedError(signal?.reason));
    };
    const onLate = (): void => {
      settle();
      const error = brokeRules(`it did not say within ${deadlineMs / 1000} seconds where to`);
      end(client, farewell(error));
      reject(error);
    };
    const timer = setTimeout(onLate, deadlineMs);
    timer.unref();
    if (client.listenerCount('error') === 0) client.on('error', ignore); // also of what is written to it at the end
    client.on('readable', onReadable).once('end', onGone).once('close', onGone).on('error', onGone);
    signal?.addEventListener('abort', onAbort, { once: true });
    if (signal?.aborted === true) onAbort();
    else if (client.destroyed || client.readableEnded) onGone();
    else onReadable();
  });
}

function ignore(): void {}

function read(client: Duplex): Buffer | null {
  return client.read() as Buffer | null;
}

function end(client: Duplex, lastWord: Buffer = Buffer.alloc(0)): void {
  if (!client.writable) return;
  if (lastWord.length > 0) client.write(lastWord);
  client.end();
}
