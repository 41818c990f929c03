import { readFileSync } from 'node:fs';
import { ViasshError } from '@viassh/core';

/**
 * The words of a command as the bytes that we were called with, where these are no UTF-8 (a file name in Latin-1):
 * Node has put U+FFFD in their place. Undefined where the words are what they seem.
 *
 * @param others what goes to ssh beside them; these have to be text
 * @throws ViasshError OPTION_INVALID when they cannot be had
 */
export function rawWords(words: readonly string[], others: readonly string[]): readonly Buffer[] | undefined {
  const given = commandLine();
  if (given?.every((word) => Buffer.from(word.toString()).equals(word)) === true) return undefined;
  const raw = words.length === 0 ? [] : (given?.slice(-words.length) ?? []);
  const isTheirs = raw.length === words.length && words.every((word, index) => raw[index]?.toString() === word);
  if (isTheirs && !others.some((word) => word.includes('\uFFFD'))) return raw;
  throw commandIsNoText();
}

/** For what can only send text. */
export function commandIsNoText(): ViasshError {
  return new ViasshError(
    'OPTION_INVALID',
    'an argument has bytes that are no UTF-8, and cannot be passed on as it is',
    {
      hint: 'options have to be UTF-8; a command may be anything with VIASSH_TRANSPORT=openssh, on Linux',
    },
  );
}

/** A script for sh, in ASCII, that calls `"$0" "$@"` and these words behind: Node itself can only pass text. */
export function callWith(words: readonly Buffer[]): string {
  const appended = words.map((word) => {
    const octal = [...word].map((byte) => `\\0${byte.toString(8).padStart(3, '0')}`).join('');
    return `word=$(printf '%b.' '${octal}'); set -- "$@" "\${word%.}"; `; // the dot: $( ) takes line ends away
  });
  return `${appended.join('')}exec "$0" "$@"`;
}

function commandLine(): readonly Buffer[] | undefined {
  try {
    const text = readFileSync('/proc/self/cmdline', 'latin1').replace(/\0$/, '');
    return text.split('\0').map((word) => Buffer.from(word, 'latin1'));
  } catch {
    return undefined; // not on Linux
  }
}
