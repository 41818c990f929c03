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

/**
 * Splits `[options] COMMAND [anything]` where the command is one of `commands`; undefined when it is none of these, or
 * when the options before it ask for our own help or version.
 */
export function splitAtProgram(argv: readonly string[], commands: readonly string[]): ProgramCommandLine | undefined {
  for (let at = 0; at < argv.length; at += 1) {
    const word = argv[at] ?? '';
    if (word === '--' || word === '--help' || word === '--version') return undefined;
    if (!/^-./.test(word))
      return commands.includes(word) ? { own: argv.slice(0, at), command: word, args: argv.slice(at + 1) } : undefined;
    const valueAt = valueIn(word);
    if (asksForHelp(word, valueAt)) return undefined;
    if (valueAt === word.length - 1) at += 1;
  }
  return undefined;
}

/** Where in a word of options the one stands that takes a value; at the end: the value is the next word. */
function valueIn(word: string): number {
  if (word.startsWith('--')) return longWithValue.has(word.slice(2)) ? word.length - 1 : -1;
  return [...word].findIndex((letter, index) => index > 0 && letters[letter]?.takesValue === true);
}

function asksForHelp(word: string, valueAt: number): boolean {
  return !word.startsWith('--') && word.slice(1, valueAt < 0 ? undefined : valueAt).includes('h');
}
