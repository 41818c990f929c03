import { type Exchange, type Step } from '../../src/negotiate/exchange.ts';

/** Bytes from numbers and text. */
export function bytes(...parts: readonly (number | string)[]): Buffer {
  return Buffer.concat(
    parts.map((part) => (typeof part === 'number' ? Buffer.from([part]) : Buffer.from(part, 'latin1'))),
  );
}

/** Says all of it in these pieces; the last step, with all that was answered on the way, and what was not heard any more. */
export function say(exchange: Exchange, pieces: readonly Buffer[]): { step: Step; answers: Buffer; left: Buffer } {
  const answers: Buffer[] = [];
  for (const [at, piece] of pieces.entries()) {
    const step = exchange.heard(piece);
    answers.push(step.answer);
    if (step.kind !== 'more' || at === pieces.length - 1) {
      const rest = step.kind === 'asked' ? [step.rest] : [];
      return { step, answers: Buffer.concat(answers), left: Buffer.concat([...rest, ...pieces.slice(at + 1)]) };
    }
  }
  throw new RangeError('nothing was said');
}

/** In pieces that end at these places. */
export function cut(whole: Buffer, ...places: readonly number[]): Buffer[] {
  const ends = [...places, whole.length];
  return ends.map((end, at) => whole.subarray(at === 0 ? 0 : ends[at - 1], end));
}
