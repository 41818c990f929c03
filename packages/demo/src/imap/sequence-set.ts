import { ImapRefusal } from './refusal.ts';

/**
 * A `sequence-set` (RFC 3501 §9: `1,3:5,7:*`) as a test for numbers. `largest` is what `*` stands for. Ranges are
 * compared, never counted through: `1:4294967295` costs nothing.
 *
 * @throws ImapRefusal BAD
 */
export function parseSequenceSet(text: string, largest: number): (number: number) => boolean {
  const ranges = text.split(',').map((range) => {
    const match = /^(\d{1,10}|\*)(?::(\d{1,10}|\*))?$/.exec(range);
    if (match === null) throw new ImapRefusal('BAD', 'not a sequence set');
    const from = valueOf(match[1] ?? '*', largest);
    const to = valueOf(match[2] ?? match[1] ?? '*', largest);
    return from <= to ? ([from, to] as const) : ([to, from] as const);
  });
  return (number) => ranges.some(([from, to]) => from <= number && number <= to);
}

function valueOf(text: string, largest: number): number {
  return text === '*' ? largest : Number(text);
}
