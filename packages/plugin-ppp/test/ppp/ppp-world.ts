import type { Logger } from '@viassh/core';
import { createPppSession, type PppOptions, type PppSession } from '@viassh/plugin-ppp';
import { createFakeClock, type FakeClock } from '@viassh/testing';
import { randomBytesOf, seededRandom } from '../random.ts';

/** One side of a link in a test, and what came to it. */
export interface Side {
  readonly session: PppSession;
  readonly packets: Buffer[];
  readonly log: string[];
}

/** Two sessions with a wire between them that a test can cut, garble and look at. */
export interface World {
  readonly clock: FakeClock;
  readonly client: Side;
  readonly server: Side;
  /** Carries what waits, both ways, until nothing does. */
  settle(): Promise<void>;
  /** What is on the way to each side, in pieces. `lose`: true, and the piece is gone. */
  lose: (bytes: Buffer, to: 'client' | 'server') => boolean;
}

export type Wishes = Partial<Omit<PppOptions, 'clock' | 'output' | 'onPackets'>>;

/** Options of a session without a neighbour: what it writes goes to `output`. */
export function sideOptions(clock: FakeClock, seed: number, wishes: Wishes, output: (bytes: Buffer) => void) {
  const random = seededRandom(seed);
  const packets: Buffer[] = [];
  const log: string[] = [];
  const write = (message: string): void => void log.push(message);
  const logger: Logger = { error: write, warning: write, info: write, debug: write };
  const options: PppOptions = {
    mru: 1500,
    clock,
    log: logger,
    output,
    randomBytes: (length) => randomBytesOf(random, length),
    onPackets: (batch) => packets.push(...batch.map((packet) => Buffer.from(packet))),
    ...wishes,
  };
  return { options, packets, log };
}

/** Bytes go only when the clock does, as on a wire. */
export function pppWorld(client: Wishes = {}, server: Wishes = {}, seed = 1): World {
  const clock = createFakeClock();
  const way: { readonly to: 'client' | 'server'; readonly bytes: Buffer }[] = [];
  const make = (wishes: Wishes, to: 'client' | 'server', own: number): Side => {
    const { options, packets, log } = sideOptions(clock, own, wishes, (bytes) => way.push({ to, bytes }));
    return { session: createPppSession(options), packets, log };
  };
  const world: World = {
    clock,
    client: make(client, 'server', seed),
    server: make({ localAddress: '10.99.0.1', remoteAddress: '10.99.0.2', ...server }, 'client', seed + 1),
    lose: () => false,
    async settle() {
      for (let next = way.shift(); next; next = way.shift()) {
        if (!world.lose(next.bytes, next.to)) world[next.to].session.receive(next.bytes);
      }
      await clock.advance(0);
    },
  };
  return world;
}

/** Opens both sides and lets them agree, with `ms` of time at the most. */
export async function opened(world: World, ms = 0, stepMs = 100): Promise<World> {
  world.client.session.open();
  world.server.session.open();
  await run(world, ms, stepMs);
  return world;
}

/** Lets time pass in steps, and what is on the way arrive in each. */
export async function run(world: World, ms: number, stepMs = 100): Promise<void> {
  await world.settle();
  for (let passed = 0; passed < ms; passed += stepMs) {
    await world.clock.advance(stepMs);
    await world.settle();
  }
}

/** An IPv4 packet without a payload that means anything. */
export function ipv4(from: string, to: string, length = 40): Buffer {
  const packet = Buffer.alloc(length);
  packet[0] = 0x45;
  packet.writeUInt16BE(length, 2);
  packet.set(from.split('.').map(Number), 12);
  packet.set(to.split('.').map(Number), 16);
  return packet;
}
