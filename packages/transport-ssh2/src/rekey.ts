import type { ResolvedDestination } from '@viassh/core';
import type { Client } from 'ssh2';
import { exchangeKeys, isExchangingKeys, watchWire } from './ssh2-private/rekey.ts';

/** Exchanges keys anew in time. */
export interface Rekeying {
  /** The login is done: from now on it may. */
  start(): void;
  /** Keys were exchanged, whoever began: counts from zero. `ciphers` are those of both directions. */
  exchanged(ciphers: readonly string[]): void;
  stop(): void;
}

/**
 * RekeyLimit of ssh_config(5): so many bytes in one direction, or so many seconds. Never more than OpenSSH allows of one
 * key (packet.c, ssh_set_newkeys(); RFC 4344 §3.2): 2^32 blocks of 16 bytes, 1 GiB with smaller ones. With them fewer than
 * 2^31 packets have passed, after which the sequence number would have to be looked at (RFC 4344 §3.1), as none is
 * shorter than 32 bytes. Call after connect().
 */
export function keepKeysFresh(client: Client, { bytes, seconds }: ResolvedDestination['rekeyLimit']): Rekeying {
  const passed = { sent: 0, received: 0 };
  let limit = Number.POSITIVE_INFINITY;
  let timer: NodeJS.Timeout | undefined;
  let started = false;
  let isDue = false;
  const exchange = (): void => {
    isDue = false;
    if (started && !isExchangingKeys(client)) exchangeKeys(client);
  };
  const look = (): void => {
    if (!started || isDue || Math.max(passed.sent, passed.received) <= limit) return;
    isDue = true;
    queueMicrotask(exchange); // not in the middle of a packet
  };
  const count = (direction: keyof typeof passed) => (length: number) => {
    passed[direction] += length;
    look();
  };
  watchWire(client, { sent: count('sent'), received: count('received') });
  return {
    start() {
      started = true;
      look();
    },
    exchanged(ciphers) {
      limit = limitOf(bytes, ciphers);
      passed.sent = passed.received = 0;
      clearTimeout(timer);
      if (seconds > 0) timer = setTimeout(exchange, Math.min(seconds * 1000, LONGEST_TIMER)).unref();
    },
    stop() {
      started = false;
      clearTimeout(timer);
    },
  };
}

const LONGEST_TIMER = 2 ** 31 - 1;

/** How many bytes one key may carry. */
export function limitOf(configured: number, ciphers: readonly string[]): number {
  const own = ciphers.every((cipher) => cipher.startsWith('aes')) ? 2 ** 32 * 16 : 2 ** 30;
  return configured > 0 ? Math.min(configured, own) : own;
}
