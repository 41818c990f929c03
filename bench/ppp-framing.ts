import { randomBytes } from 'node:crypto';
import { createDeframer, createFramer, type FrameForm } from '@viassh/plugin-ppp';
import { createByteLoopDecoder, encodeByteLoop } from './byte-loop.ts';
import type { Contestant, Race } from './race.ts';

/** What a device gives at a time. */
const BATCH = 64;
/** What a channel gives at a time, bytes. */
const PIECE = 65_536;
const compressed: FrameForm = { accm: 0, pfc: true, acfc: true };
const escaping: FrameForm = { accm: 0xffffffff, pfc: false, acfc: false };

/** The framing of PPP by itself, no wire: random bytes, which is what a link carries, and text, which needs no escapes. */
export function framingRaces({ bytes, repetitions }: { bytes: number; repetitions: number }): Race[] {
  const inputs: readonly [string, number, () => Buffer][] = [
    ['random, packets of 1500', 1500, () => randomBytes(1500)],
    ['random, packets of 16000', 16_000, () => randomBytes(16_000)],
    ['random, packets of 64', 64, () => randomBytes(64)],
    ['text, packets of 1500', 1500, () => Buffer.alloc(1500, 'what a page is written in ')],
  ];
  return inputs.flatMap(([title, size, make]) => {
    const packets = Array.from({ length: BATCH }, () => {
      const packet = make();
      packet[0] = 0x45;
      return packet;
    });
    const rounds = Math.ceil(bytes / (BATCH * size));
    const race = (direction: string, contestants: Contestant[]): Race => ({
      title: `PPP framing, ${direction}, ${title}`,
      repetitions,
      bytes: rounds * BATCH * size,
      contestants,
    });
    const name = { loop: 'byte by byte', ours: 'viassh', escaping: 'viassh, all control characters escaped' };
    return [
      race('encode', [
        contestant(name.loop, rounds, loopEncoder(packets)),
        contestant(name.ours, rounds, encoder(packets, compressed)),
        contestant(name.escaping, rounds, encoder(packets, escaping)),
      ]),
      race('decode', [
        contestant(name.loop, rounds, loopDecoder(packets)),
        contestant(name.ours, rounds, decoder(packets, compressed)),
        contestant(name.escaping, rounds, decoder(packets, escaping)),
      ]),
    ];
  });
}

function contestant(name: string, rounds: number, job: () => void): Contestant {
  return {
    name,
    run: async () => {
      const started = performance.now();
      for (let round = 0; round < rounds; round += 1) job();
      return performance.now() - started;
    },
  };
}

function loopEncoder(packets: readonly Buffer[]): () => void {
  const out = new Uint8Array(packets.reduce((total, { length }) => total + 2 * length + 16, 1));
  return () => void encodeByteLoop(packets, out);
}

function encoder(packets: readonly Buffer[], form: FrameForm): () => void {
  const framer = createFramer(form);
  return () => void framer.encodePackets(packets);
}

function loopDecoder(packets: readonly Buffer[]): () => void {
  let frames = 0;
  const decode = createByteLoopDecoder(() => (frames += 1));
  return decoding(packets, compressed, decode, () => frames);
}

function decoder(packets: readonly Buffer[], form: FrameForm): () => void {
  const deframer = createDeframer({ mru: 65_535, onFrame: () => undefined });
  deframer.accm = form.accm;
  return decoding(
    packets,
    form,
    (bytes) => deframer.receive(bytes),
    () => deframer.counters.good,
  );
}

/** Fails when a frame is not found: who throws away is fast. */
function decoding(
  packets: readonly Buffer[],
  form: FrameForm,
  decode: (bytes: Buffer) => void,
  found: () => number,
): () => void {
  const wire = createFramer(form).encodePackets(packets);
  const pieces = Array.from({ length: Math.ceil(wire.length / PIECE) }, (_, index) =>
    wire.subarray(index * PIECE, (index + 1) * PIECE),
  );
  return () => {
    const before = found();
    for (const piece of pieces) decode(piece);
    if (found() - before !== packets.length) throw new Error(`${found() - before} frames of ${packets.length}`);
  };
}
