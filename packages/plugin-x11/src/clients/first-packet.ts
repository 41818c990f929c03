import type { Duplex } from 'node:stream';
import { type SetupReading, readClientSetup } from '../setup/client-setup.ts';

/** How reading the first packet of a client ended; `rest`: what it sent behind it. */
export type FirstPacket =
  | (Extract<SetupReading, { kind: 'setup' }> & { readonly rest: Buffer })
  | Extract<SetupReading, { kind: 'refused' }>;

/**
 * Reads the first packet of a client, and leaves its stream paused. No more is held than that and one chunk. Where the stream
 * ends before, or `signal` is aborted, the client is refused.
 */
export function readFirstPacket(client: Duplex, cookie: Buffer, signal: AbortSignal): Promise<FirstPacket> {
  return new Promise((resolve) => {
    let seen: Buffer = Buffer.alloc(0);
    const settle = (packet: FirstPacket): void => {
      client.pause().off('data', onData).off('end', onEnd).off('close', onEnd);
      signal.removeEventListener('abort', onAbort);
      resolve(packet);
    };
    const onData = (chunk: Buffer): void => {
      seen = seen.length === 0 ? chunk : Buffer.concat([seen, chunk]);
      const reading = readClientSetup(seen, cookie);
      if (reading.kind === 'setup') settle({ ...reading, rest: seen.subarray(reading.length) });
      else if (reading.kind === 'refused') settle(reading);
    };
    const onEnd = (): void => settle({ kind: 'refused', reason: 'it left before it had said who it is' });
    const onAbort = (): void => settle({ kind: 'refused', reason: 'it does not say who it is' });
    client.on('data', onData).once('end', onEnd).once('close', onEnd);
    signal.addEventListener('abort', onAbort, { once: true });
    if (client.destroyed) onEnd();
    else if (signal.aborted) onAbort();
    else client.resume();
  });
}
