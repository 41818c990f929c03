import type { FrameOffer } from '@viassh/plugin-ppp';
import { HelloReader, writeHello } from '../../src/carrier/frame-hello.ts';
import { FrameReader } from '../../src/carrier/frame-reader.ts';
import { emptyFrame, FrameWriter } from '../../src/carrier/frame-writer.ts';
import { below, randomBytesOf, seededRandom } from '../random.ts';
import { mutate, pieces } from './mutate.ts';

const LARGEST = 500;
const offer: FrameOffer = {
  end: 'far',
  mode: 'point-to-point',
  vnetHeader: true,
  mtu: 1500,
  addresses: [
    { local: '10.0.0.1', remote: '10.0.0.2' },
    { local: 'fd00::1', prefix: 64 },
  ],
  dns: ['9.9.9.9'],
};

/** What came of it. */
export interface FrameFuzz {
  readonly packets: number;
  readonly broken: number;
  readonly hellos: number;
}

/**
 * Streams of our own frames, and hellos, with faults, cut anywhere.
 *
 * @throws Error when a reader throws, gives a packet that is too long or more bytes than came, or takes an address that is none
 */
export function fuzzFrames(seed: number, inputs: number): FrameFuzz {
  const random = seededRandom(seed);
  const writer = new FrameWriter();
  let reader = new FrameReader(LARGEST);
  const found = { packets: 0, broken: 0, hellos: 0 };
  let came = 0;
  let given = 0;
  for (let input = 0; input < inputs; input += 1) {
    if (input % 4 === 0) {
      if (readHello(random)) found.hellos += 1;
      continue;
    }
    const packets = Array.from({ length: below(random, 4) }, () => randomBytesOf(random, below(random, LARGEST)));
    const bytes = Buffer.concat([writer.encode(packets), ...(below(random, 8) ? [] : [emptyFrame(below(random, 3))])]);
    for (const piece of pieces(random, mutate(random, bytes))) {
      came += piece.length;
      const batch = reader.read(piece);
      for (const { length } of batch.packets) {
        if (length > LARGEST) throw new Error(`input ${input}: a packet of ${length} bytes`);
        given += length;
      }
      if (given > came) throw new Error(`input ${input}: ${given} bytes of packets in ${came}`);
      found.packets += batch.packets.length;
      if (batch.end === undefined) continue;
      if (batch.end === 'broken') found.broken += 1;
      reader = new FrameReader(LARGEST);
      break;
    }
  }
  return found;
}

function readHello(random: () => number): boolean {
  const reader = new HelloReader();
  const bytes = Buffer.concat([
    randomBytesOf(random, below(random, 30)),
    mutate(random, writeHello(offer)),
    Buffer.alloc(3),
  ]);
  for (const piece of pieces(random, bytes)) {
    const result = reader.read(piece);
    if (result === 'none') return false;
    if (result === undefined) continue;
    const { mtu, addresses, dns } = result.offer;
    const texts = [...dns, ...addresses.flatMap(({ local, remote }) => [local ?? '::', remote ?? '::'])];
    if (!texts.every((text) => /^[\da-f.:]+$/.test(text)) || mtu < 576 || mtu > 65_535)
      throw new Error(`a hello was taken that says ${JSON.stringify(result.offer)}`);
    return true;
  }
  return false;
}
