import { ViasshError } from '@viassh/core';

/** One-letter options, and the long option behind each. */
export type Letters = Readonly<Record<string, { readonly name: string; readonly takesValue: boolean }>>;

/** ssh's one-letter options that viassh takes everywhere. */
export const letters: Letters = {
  F: { name: 'config-file', takesValue: true },
  o: { name: 'option', takesValue: true },
  i: { name: 'identity', takesValue: true },
  l: { name: 'login', takesValue: true },
  p: { name: 'port', takesValue: true },
  J: { name: 'jump', takesValue: true },
  '4': { name: 'inet', takesValue: false },
  '6': { name: 'inet6', takesValue: false },
  C: { name: 'compress', takesValue: false },
  q: { name: 'quiet', takesValue: false },
  v: { name: 'verbose', takesValue: false },
  h: { name: 'help', takesValue: false },
  s: { name: 'subsystem', takesValue: false },
  t: { name: 'tty', takesValue: false },
  n: { name: 'no-stdin', takesValue: false },
  x: { name: 'no-x11', takesValue: false },
  A: { name: 'forward-agent', takesValue: false },
  a: { name: 'forward-agent=false', takesValue: false },
  T: { name: 'no-tty', takesValue: false },
};

/**
 * Rewrites ssh's short options (clusters `-qC`, glued values `-p22 -oKey=Value`) as long ones with their value attached,
 * so that a value may begin with a dash and `-4` is no number. Stops at `--`; leaves everything else alone. `own` are
 * the letters of the command's own options.
 *
 * @throws ViasshError USAGE for a letter that is none of these, or whose value is missing.
 */
export function normalizeArgv(argv: readonly string[], own: Letters = {}): string[] {
  const known = { ...letters, ...own };
  const result: string[] = [];
  for (let index = 0; index < argv.length; index += 1) {
    const word = argv[index] ?? '';
    if (word === '--') return [...result, ...argv.slice(index)];
    const consumed = /^-[^-]/.test(word) ? expandCluster(word, argv[index + 1], result, known) : keep(word, result);
    index += consumed;
  }
  return result;
}

function keep(word: string, result: string[]): 0 {
  result.push(word);
  return 0;
}

/** How many further words of argv were used up: 1 when the last option's value is the next word. */
function expandCluster(word: string, next: string | undefined, result: string[], known: Letters): 0 | 1 {
  for (let at = 1; at < word.length; at += 1) {
    const letter = known[word[at] ?? ''];
    if (letter === undefined) throw unknownLetter(word, at);
    if (!letter.takesValue) result.push(`--${letter.name}`);
    else if (at + 1 < word.length) return keep(`--${letter.name}=${word.slice(at + 1)}`, result);
    else if (next === undefined) throw valueMissing(word.charAt(at));
    else {
      result.push(`--${letter.name}=${next}`);
      return 1;
    }
  }
  return 0;
}

function unknownLetter(word: string, at: number): ViasshError {
  const where = at === 1 && word.length === 2 ? '' : ` (in ${word})`;
  return new ViasshError('USAGE', `there is no option -${word.charAt(at)}${where}`, {
    hint: 'viassh COMMAND --help shows the options; what belongs to the remote command goes behind --',
  });
}

function valueMissing(letter: string): ViasshError {
  return new ViasshError('USAGE', `-${letter} wants a value`, { hint: 'viassh --help shows the options' });
}
