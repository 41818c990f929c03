import { ViasshError } from '@viassh/core';

/** One option of ssh(1) as it was given; `value` is there for those that take one. */
export interface SshOption {
  readonly letter: string;
  readonly value?: string | undefined;
}

/** ssh's words, taken apart and not yet judged. */
export interface SshWords {
  readonly options: readonly SshOption[];
  /** How many of the options stand before the destination. */
  readonly before: number;
  /** Undefined where there is none: ssh then only shows something, or its usage. */
  readonly destination: string | undefined;
  /** The remote command, word by word. */
  readonly words: readonly string[];
}

/** ssh.c of OpenSSH 9.4 to 10.x; before that, `P` took no value and did nothing. */
const optionString = '1246ab:c:e:fgi:kl:m:no:p:qstvxAB:CD:E:F:GI:J:KL:MNO:P:Q:R:S:TVw:W:XYy';

/** Every letter, and whether it takes a value. */
export const sshLetters: ReadonlyMap<string, boolean> = new Map(
  [...optionString.matchAll(/([^:])(:?)/g)].map(([, letter = '', colon]) => [letter, colon === ':']),
);

/**
 * getopt(3) over ssh's arguments, as ssh.c calls it: clusters, glued values, options before the destination and between
 * it and the command, none behind `--` or in the command.
 *
 * @throws ViasshError USAGE for a letter that ssh has not, or whose value is missing
 */
export function readSshWords(argv: readonly string[]): SshWords {
  const options: SshOption[] = [];
  const { next, terminated } = readOptions(argv, 0, options);
  const before = options.length;
  const destination = argv[next];
  if (destination === undefined) return { options, before, destination, words: [] };
  const from = terminated ? next + 1 : readOptions(argv, next + 1, options).next;
  return { options, before, destination, words: argv.slice(from) };
}

/** Takes options from `at` on; `next` is the first word that is none. */
function readOptions(
  argv: readonly string[],
  at: number,
  options: SshOption[],
): { readonly next: number; readonly terminated: boolean } {
  for (let next = at; ; next += 1) {
    const word = argv[next];
    if (word === '--') return { next: next + 1, terminated: true };
    if (word === undefined || !/^-./s.test(word)) return { next, terminated: false };
    if (readCluster(word, argv[next + 1], options)) next += 1;
  }
}

/** True when the value of the last option in it was the next word. */
function readCluster(word: string, following: string | undefined, options: SshOption[]): boolean {
  const letters = [...word];
  for (let at = 1; at < letters.length; at += 1) {
    const letter = letters[at] ?? '';
    const takesValue = sshLetters.get(letter);
    if (takesValue === undefined)
      throw usage(`ssh has no option -${letter}${letters.length > 2 ? ` (in ${word})` : ''}`);
    const glued = letters.slice(at + 1).join('');
    if (!takesValue) options.push({ letter });
    else if (glued !== '') {
      options.push({ letter, value: glued });
      return false;
    } else if (following === undefined) throw usage(`-${letter} wants a value`);
    else {
      options.push({ letter, value: following });
      return true;
    }
  }
  return false;
}

function usage(message: string): ViasshError {
  return new ViasshError('USAGE', message, { hint: '[options] [user@]host [command], as for ssh(1)' });
}
