/** One option of a Configure-Request and its answers (RFC 1661 §6). */
export interface ConfigOption {
  readonly type: number;
  readonly data: Buffer;
}

/** How a Configure-Request is answered: one of the three, with the options that go into it. */
export interface Verdict {
  readonly answer: 'ack' | 'nak' | 'reject';
  readonly options: readonly ConfigOption[];
}

/** What one option of the other side is answered: taken, never to be asked for again, or rather this one. */
export type OptionVerdict = 'ack' | 'reject' | ConfigOption;

/** Reads the options of a packet; undefined when one is shorter than its head or longer than the packet. */
export function parseOptions(data: Buffer): ConfigOption[] | undefined {
  const options: ConfigOption[] = [];
  let at = 0;
  while (at < data.length) {
    const length = data[at + 1];
    if (length === undefined || length < 2 || at + length > data.length) return undefined;
    options.push({ type: data[at]!, data: data.subarray(at + 2, at + length) });
    at += length;
  }
  return options;
}

export function encodeOptions(options: readonly ConfigOption[]): Buffer {
  return Buffer.concat(options.flatMap(({ type, data }) => [Buffer.from([type, 2 + data.length]), data]));
}

/**
 * Judges every option by itself, and puts the answers together as RFC 1661 §5 has it: one that is rejected hides all that
 * would be Nak'ed. An option that stands there twice is rejected the second time. `missing` is what is put into the
 * answer beside them: options that it should have asked for.
 */
export function judgeOptions(
  options: readonly ConfigOption[],
  judge: (option: ConfigOption) => OptionVerdict,
  missing: readonly ConfigOption[] = [],
): Verdict {
  const seen = new Set<number>();
  const rejected: ConfigOption[] = [];
  const better: ConfigOption[] = [];
  for (const option of options) {
    const verdict = seen.has(option.type) ? 'reject' : judge(option);
    seen.add(option.type);
    if (verdict === 'reject') rejected.push(option);
    else if (verdict !== 'ack') better.push(verdict);
  }
  if (rejected.length > 0) return { answer: 'reject', options: rejected };
  better.push(...missing);
  return better.length > 0 ? { answer: 'nak', options: better } : { answer: 'ack', options };
}

/** An option whose value is a number of two or four bytes. */
export function numberOption(type: number, value: number, bytes: 2 | 4): ConfigOption {
  const data = Buffer.alloc(bytes);
  data.writeUIntBE(value, 0, bytes);
  return { type, data };
}

/** For a log: `<mru 16000> <pfc>`. Options without a name are shown by their number. */
export function showOptions(options: readonly ConfigOption[], names: Readonly<Record<number, string>>): string {
  return options
    .map(({ type, data }) => {
      const value = data.length === 0 ? '' : ` ${data.subarray(0, 32).toString('hex')}`;
      return `<${names[type] ?? `option ${type}`}${value}>`;
    })
    .join(' ');
}
