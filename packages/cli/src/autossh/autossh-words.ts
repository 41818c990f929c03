import { ViasshError } from '@viassh/core';

/** The words of autossh(1): its own options taken out, the others as they are for ssh. */
export interface AutosshWords {
  /** -M, the last one. */
  readonly monitor: string | undefined;
  /** -f */
  readonly background: boolean;
  /** -V */
  readonly version: boolean;
  readonly ssh: readonly string[];
}

const withValue = 'BbcDEeFIiJLlmOoPpQRSWw'; // of ssh(1)

/**
 * Takes -M, -f and -V out of what stands before the remote command. autossh itself takes them out of the command, too:
 * here that is sent as it was written.
 *
 * @throws ViasshError USAGE
 */
export function readAutosshWords(argv: readonly string[]): AutosshWords {
  const ssh: string[] = [];
  let monitor: string | undefined;
  const flags = new Set<string>();
  let hosts = 0;
  for (let at = 0; at < argv.length; at += 1) {
    const word = argv[at] ?? '';
    if (word === '--' || (!/^-./s.test(word) && hosts > 0)) {
      ssh.push(...argv.slice(at));
      break;
    }
    if (!/^-./s.test(word)) {
      hosts += 1;
      ssh.push(word);
      continue;
    }
    const { kept, letter, value } = takeOwn(word, flags);
    if (kept !== '-') ssh.push(kept);
    if (letter === undefined || value !== '') {
      if (letter === 'M') monitor = value;
      continue;
    }
    at += 1;
    const next = argv[at];
    if (next === undefined) throw usage(`-${letter} wants a value`);
    if (letter === 'M') monitor = next;
    else ssh.push(next);
  }
  return { monitor, background: flags.has('f'), version: flags.has('V'), ssh };
}

/** One word of letters: what is left of it for ssh, and the letter at its end that takes a value ('' : the next word). */
function takeOwn(
  word: string,
  flags: Set<string>,
): { readonly kept: string; readonly letter?: string; readonly value?: string } {
  let kept = '-';
  for (let at = 1; at < word.length; at += 1) {
    const letter = word.charAt(at);
    const value = word.slice(at + 1);
    if (letter === 'M') return { kept, letter, value };
    if (withValue.includes(letter)) return { kept: kept + word.slice(at), letter, value };
    if (letter === 'f' || letter === 'V') flags.add(letter);
    else kept += letter;
  }
  return { kept };
}

function usage(message: string): ViasshError {
  return new ViasshError('USAGE', message, {
    hint: 'viassh autossh [-M PORT] [-f] [options of ssh] [user@]host [command], as for autossh(1)',
  });
}
