import t from 'tap';
import { fuzzFrames } from './fuzz-frames.ts';
import { fuzzFraming } from './fuzz-framing.ts';

const INPUTS = 50_000;

t.test(`${INPUTS} broken streams of HDLC frames: none throws, none hides the good frame behind it`, async (t) => {
  const { frames, thrownAway } = fuzzFraming(1, INPUTS);
  t.ok(frames > INPUTS && thrownAway > INPUTS / 4, `${frames} good frames, ${thrownAway} thrown away`);
});

t.test(
  `${INPUTS} broken streams of our own frames, and hellos: none throws, nothing is taken that is none`,
  async (t) => {
    const { packets, broken, hellos } = fuzzFrames(1, INPUTS);
    t.ok(packets > INPUTS / 4, `${packets} packets`);
    t.ok(broken > INPUTS / 100, `${broken} streams given up`);
    t.ok(hellos > INPUTS / 100, `${hellos} hellos were good all the same`);
  },
);
