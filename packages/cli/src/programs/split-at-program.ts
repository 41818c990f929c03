import { letters } from '../arguments/normalize-argv.ts';

/** A command line whose command reads the rest of it by itself. */
export interface ProgramCommandLine {
  /** Our own options, before the command. */
  readonly own: readonly string[];
  readonly command: string;
  readonly args: readonly string[];
}

const longWithValue: ReadonlySet<string> = new Set([
  ...Object.values(letters).flatMap(({ name, takesValue }) => (takesValue ? [name] : [])),
  'transport',
  'control',
  'proxy',
]);

/** Splits `[options] COMMAND [anything]` where the command is one of `commands`; undefined when it is none of these. */
export function splitAtProgram(argv: readonly string[], commands: readonly string[]): ProgramCommandLine | undefined {
  for (let at = 0; at < argv.length; at += 1) {
    const word = argv[at] ?? '';
    if (word === '--') return undefined;
    if (!/^-./.test(word))
      return commands.includes(word) ? { own: argv.slice(0, at), command: word, args: argv.slice(at + 1) } : undefined;
    if (takesNext(word)) at += 1;
  }
  return undefined;
}

/** Is the value of this option, or of the last in this cluster, the next word? */
function takesNext(word: string): boolean {
  if (word.startsWith('--')) return longWithValue.has(word.slice(2));
  const at = [...word].findIndex((letter, index) => index > 0 && letters[letter]?.takesValue === true);
  return at === word.length - 1;
}
