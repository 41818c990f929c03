/** The letters that take a value, of scp(1) and sftp(1). */
export const optionLetters = { scp: 'cDFiJlMoPSX', sftp: 'BbcDFiJloPRSsX' } as const;

/** The arguments of scp or sftp, as far as an explanation needs them. */
export interface ReadOptions {
  /** Each letter with its last value; empty for one that takes none. */
  readonly options: ReadonlyMap<string, string>;
  readonly operands: readonly string[];
}

/** Reads options by letter up to the first word that is none, as OpenSSH's getopt does. */
export function readOptions(args: readonly string[], withValue: string): ReadOptions {
  const options = new Map<string, string>();
  let at = 0;
  for (; at < args.length; at += 1) {
    const word = args[at] ?? '';
    if (word === '--') return { options, operands: args.slice(at + 1) };
    if (!/^-./.test(word)) break;
    const letters = word.slice(1);
    const end = [...letters].findIndex((letter) => withValue.includes(letter));
    for (const letter of end < 0 ? letters : letters.slice(0, end)) options.set(letter, '');
    if (end < 0) continue;
    const glued = letters.slice(end + 1);
    options.set(letters.charAt(end), glued === '' ? (args[(at += 1)] ?? '') : glued);
  }
  return { options, operands: args.slice(at) };
}
