import { createDeframer, createFramer, type FrameForm } from '@viassh/plugin-ppp';
import { below, randomBytesOf, seededRandom } from '../random.ts';
import { mutate, pieces } from './mutate.ts';

const MRU = 300;
const forms: readonly FrameForm[] = [
  { accm: 0, pfc: true, acfc: true },
  { accm: 0xffffffff, pfc: false, acfc: false },
  { accm: 0x000a0000, pfc: true, acfc: false },
];

/** What came of it; `frames` that were right, and those thrown away. */
export interface FramingFuzz {
  readonly frames: number;
  readonly thrownAway: number;
}

/**
 * Streams of frames with faults, cut anywhere, into deframers that live on from input to input.
 *
 * @throws Error when a deframer throws, gives a frame that is none, or does not find the good one behind what was broken
 */
export function fuzzFraming(seed: number, inputs: number): FramingFuzz {
  const random = seededRandom(seed);
  let last = '';
  const lines = forms.map((form) => {
    const deframer = createDeframer({
      mru: MRU,
      onFrame(protocol, payload) {
        if (payload.length > MRU || (protocol & 1) === 0 || protocol > 0xffff)
          throw new Error(`a frame of ${payload.length} bytes, protocol ${protocol}`);
        last = payload.toString('latin1');
      },
    });
    deframer.accm = form.accm;
    return { form, framer: createFramer(form), deframer };
  });
  for (let input = 0; input < inputs; input += 1) {
    const line = lines[input % lines.length];
    if (line === undefined) break;
    const { framer, deframer } = line;
    const packets = Array.from({ length: below(random, 3) }, () => ipPacket(random, below(random, 2 * MRU)));
    const bytes = mutate(
      random,
      Buffer.concat([framer.encodePackets(packets), randomBytesOf(random, below(random, 20))]),
    );
    for (const piece of pieces(random, bytes)) deframer.receive(piece);
    const probe = ipPacket(random, 1 + below(random, MRU - 1));
    for (const piece of pieces(random, framer.encodePackets([probe]))) deframer.receive(piece);
    if (last !== probe.toString('latin1')) throw new Error(`input ${input}: the good frame behind it was not found`);
  }
  const counters = lines.map(({ deframer }) => deframer.counters);
  const sum = (count: (of: (typeof counters)[0]) => number): number =>
    counters.reduce((total, of) => total + count(of), 0);
  return {
    frames: sum(({ good }) => good),
    thrownAway: sum(({ damaged, aborted, tooLong, malformed }) => damaged + aborted + tooLong + malformed),
  };
}

function ipPacket(random: () => number, length: number): Buffer {
  const packet = randomBytesOf(random, Math.max(1, length));
  packet[0] = below(random, 2) ? 0x45 : 0x60;
  return packet;
}
