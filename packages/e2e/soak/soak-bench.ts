import type { Connection } from '@viassh/core';
import type { Sshd } from '@viassh/testing';
import { connect } from 'viassh';
import { transports } from '../test/run-viassh.ts';

/** How long the parts that go by time take, all transports together. Default: 2. */
export const soakMinutes = Number(process.env['VIASSH_SOAK_MINUTES'] ?? 2);

/** A connection of the fixture's user to a port on which its server is in the end. */
export async function connectTo(
  sshd: Sshd,
  transport: (typeof transports)[number],
  port = sshd.port,
  ...options: readonly string[]
): Promise<Connection> {
  return await connect('t', { configFile: sshd.configFile, transport, options: [`Port=${port}`, ...options] });
}

/** What this process holds, in MiB, after collecting what can be collected. Needs node's --expose-gc. */
export function memory(): number {
  if (globalThis.gc === undefined) throw new Error('start node with --expose-gc');
  globalThis.gc();
  const { heapUsed, external } = process.memoryUsage();
  return (heapUsed + external) / 1024 ** 2;
}

/** Numbers of chance from 0 to below 1 that a seed repeats (mulberry32). */
export function seeded(seed: number): () => number {
  let state = seed >>> 0;
  return () => {
    state = (state + 0x6d2b79f5) >>> 0;
    let mixed = Math.imul(state ^ (state >>> 15), state | 1);
    mixed ^= mixed + Math.imul(mixed ^ (mixed >>> 7), mixed | 61);
    return ((mixed ^ (mixed >>> 14)) >>> 0) / 2 ** 32;
  };
}
